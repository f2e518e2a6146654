#include "backends/nft/libnftables.hpp"
#include "backends/nft/nft_elements.hpp"
#include "backends/nft/nft_json.hpp"
#include "backends/nft/nft_present.hpp"
#include "backends/nft/nft_state.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/nft/read_nft_json.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc {
namespace {

std::expected<void, SystemError> nothing_of(std::expected<std::string, SystemError> const& said) {
    if (!said)
        return std::unexpected(said.error());
    return {};
}

/// Whether an item of a listing is the table inet lbc, or belongs to it.
bool is_own(NftJson const& item) {
    if (!item.is_object() || item.size() != 1)
        return false;
    auto const& value = item.begin().value();
    auto const* name = item.begin().key() == "table" ? "name" : "table";
    return text_member(&value, "family") == "inet" && text_member(&value, name) == "lbc";
}

/// A text of a listing that would turn a command of nft into another one. A foreign program may have put it there: the
/// kernel takes any name, and nft prints it as it is.
std::optional<std::string> unwritable(NftJson const& value, std::string_view key) {
    if (value.is_string()) {
        auto const& text = value.get_ref<std::string const&>();
        bool const is_plain = key == "name" ? is_identifier(text) : std::ranges::all_of(text, [](char c) {
            return c >= ' ' && c <= '~' && c != '"' && c != '\\';
        });
        return is_plain ? std::nullopt : std::optional(text);
    }
    if (value.is_structured())
        for (auto const& [name, part] : value.items())
            if (auto odd = unwritable(part, value.is_object() ? std::string_view(name) : key))
                return odd;
    return std::nullopt;
}

/// Whether the table has only chains that lbc makes, so that lbc can restore it.
bool has_own_chains(NftState const& table) {
    return std::ranges::all_of(table.chains, [](NftChain const& chain) {
        return is_own_nft_chain(chain.name) && chain.base == nft_chain(chain.name, {}).base;
    });
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
            return std::unexpected(failed(fmt::format("it is {}, which lbc does not make it{}",
                                                      own->is_dormant() ? "dormant" : "owned by a process", way_out)));
        auto const root = read_own(*present);
        if (!root)
            return std::unexpected(root.error());
        auto tables = read_nft_tables(*root);
        if (!tables)
            return std::unexpected(failed(tables.error()));
        auto const found = std::ranges::find_if(
            *tables, [](NftState const& one) { return one.family == "inet" && one.name == "lbc"; });
        if (found == tables->end()) // or libnftables could not read it: it reports no error then
            return std::unexpected(failed("it is there, and is not listed"));
        auto& table = *found;
        for (auto& set : table.sets)
            if (set.unknown.empty())
                if (auto elements = read_nft_elements(set); !elements)
                    return std::unexpected(std::move(elements.error()));
        if (is_known(table) && has_own_chains(table))
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
    /// Only the command that lists all tables can leave elements out (libnftables 1.0.6 reads them for every other
    /// command, whatever it prints). It fails if any table has flags, or a name that is no UTF-8.
    std::expected<NftJson, SystemError> read_own(std::vector<NftTableName> const& present) {
        if (std::ranges::all_of(present, [](NftTableName const& one) { return one.flags == 0; }))
            if (auto root = list("list ruleset"); root)
                return root;
        return list("list table inet lbc");
    }

    std::expected<NftJson, SystemError> list(std::string const& command) {
        auto const listed = nft_.run(command, NftRun::terse, reading);
        if (!listed)
            return std::unexpected(listed.error());
        auto root = parse_json(*listed);
        if (!root)
            return std::unexpected(failed(root.error()));
        auto const* items = member(&*root, "nftables");
        for (auto const& item : items == nullptr || !items->is_array() ? NftJson::array() : *items)
            if (auto const odd = is_own(item) ? unwritable(item, {}) : std::nullopt)
                return std::unexpected(
                    failed(fmt::format("`{}` in it cannot be written back{}", printable(on_one_line(*odd)), way_out)));
        return std::move(*root);
    }

    static SystemError failed(std::string_view why) {
        return {SystemError::Kind::failed, 0, fmt::format("{}: {}", reading, why)};
    }

    Libnftables nft_;
    static constexpr std::string_view reading = "cannot read the table inet lbc";
    static constexpr std::string_view way_out = "; `nft delete table inet lbc` removes the table";
};

} // namespace

std::unique_ptr<NftTable> open_libnftables() { return std::make_unique<LibnftablesTable>(); }

} // namespace lbc
