#include "backends/nft/libnftables.hpp"
#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_present.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/nft/read_nft_json.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

std::expected<void, SystemError> nothing_of(std::expected<std::string, SystemError> const& said) {
    if (!said)
        return std::unexpected(said.error());
    return {};
}

class LibnftablesTable final : public NftTable {
public:
    std::expected<NftState, SystemError> read() override {
        auto const has_tables = ask_for_nft_tables();
        if (!has_tables)
            return std::unexpected(has_tables.error());
        if (!*has_tables)
            return NftState{};
        auto const tables = run_libnftables("list tables inet", NftRun::list, "cannot list the tables of nftables");
        if (!tables)
            return std::unexpected(tables.error());
        if (!("\n" + *tables).contains("\ntable inet lbc\n"))
            return NftState{};
        auto const listed = run_libnftables("list table inet lbc", NftRun::terse, reading);
        if (!listed)
            return std::unexpected(listed.error());
        auto read = read_nft_json(*listed);
        if (!read || read->size() != 1)
            return std::unexpected(
                SystemError{SystemError::Kind::failed, 0,
                            fmt::format("{}: {}", reading, read ? "there is not just one" : read.error())});
        auto& table = read->front();
        for (auto& set : table.sets)
            if (set.unknown.empty())
                if (auto elements = read_nft_elements(set); !elements)
                    return std::unexpected(std::move(elements.error()));
        if (is_known(table))
            return std::move(table);
        auto text = run_libnftables("list table inet lbc", NftRun::list, reading);
        if (!text)
            return std::unexpected(text.error());
        table.listing = std::move(*text);
        return std::move(table);
    }

    std::expected<void, SystemError> test(std::string const& text) override {
        return nothing_of(run_libnftables(text, NftRun::test, "nftables does not take the rules"));
    }

    std::expected<void, SystemError> load(std::string const& text) override {
        return nothing_of(run_libnftables(text, NftRun::write, "cannot change the table inet lbc"));
    }

    std::expected<void, SystemError> write(std::span<NftElementChange const> changes) override {
        return write_nft_elements(changes);
    }

private:
    static constexpr std::string_view reading = "cannot read the table inet lbc";
};

} // namespace

std::unique_ptr<NftTable> open_libnftables() { return std::make_unique<LibnftablesTable>(); }

} // namespace lbc
