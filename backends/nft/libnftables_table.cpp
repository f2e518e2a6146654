#include "backends/nft/libnftables.hpp"
#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_present.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/nft/read_nft_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

std::expected<void, SystemError> nothing_of(std::expected<std::string, SystemError> const& said) {
    if (!said)
        return std::unexpected(said.error());
    return {};
}

class LibnftablesTable final : public NftTable {
public:
    std::expected<bool, SystemError> exists() override { return ask_for_own_nft_table(); }

    std::expected<NftState, SystemError> read() override {
        auto const present = list_nft_tables();
        if (!present)
            return std::unexpected(present.error());
        auto const own = std::ranges::find_if(
            *present, [](NftTableName const& one) { return one.family == "inet" && one.name == "lbc"; });
        if (own == present->end())
            return NftState{};
        if (own->flags != 0)
            return std::unexpected(SystemError{
                SystemError::Kind::failed, 0,
                fmt::format("{}: it is {}, which lbc does not make it; `nft delete table inet lbc` removes it", reading,
                            own->is_dormant() ? "dormant" : "owned by a process")});
        // Of the ways to list a table, only that of all tables can leave elements out (libnftables 1.0.6 reads them for
        // the others, whatever it prints). A table with flags it prints as broken text (mended in 1.0.10).
        bool const has_flags = std::ranges::any_of(*present, [](NftTableName const& one) { return one.flags != 0; });
        auto const listed = nft_.run(has_flags ? "list table inet lbc" : "list ruleset", NftRun::terse, reading);
        if (!listed)
            return std::unexpected(listed.error());
        auto tables = read_nft_json(*listed);
        if (!tables)
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0, fmt::format("{}: {}", reading, tables.error())});
        auto const found = std::ranges::find_if(
            *tables, [](NftState const& one) { return one.family == "inet" && one.name == "lbc"; });
        if (found == tables->end()) // or libnftables could not read it: it does not say so
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0, fmt::format("{}: it is there, and is not listed", reading)});
        auto& table = *found;
        for (auto& set : table.sets)
            if (set.unknown.empty())
                if (auto elements = read_nft_elements(set); !elements)
                    return std::unexpected(std::move(elements.error()));
        if (is_known(table))
            return std::move(table);
        auto text = nft_.run("list table inet lbc", NftRun::list, reading);
        if (!text)
            return std::unexpected(text.error());
        table.listing = std::move(*text);
        return std::move(table);
    }

    std::expected<void, SystemError> test(std::string const& text) override {
        return nothing_of(nft_.run(text, NftRun::test, "nftables does not take the rules"));
    }

    std::expected<void, SystemError> load(std::string const& text) override {
        return nothing_of(nft_.run(text, NftRun::write, "cannot change the table inet lbc"));
    }

    std::expected<void, SystemError> write(std::span<NftElementChange const> changes) override {
        return write_nft_elements(changes);
    }

    void rest() override { nft_.rest(); }

private:
    Libnftables nft_;
    static constexpr std::string_view reading = "cannot read the table inet lbc";
};

} // namespace

std::unique_ptr<NftTable> open_libnftables() { return std::make_unique<LibnftablesTable>(); }

} // namespace lbc
