#include "backends/nft/read_nft_json.hpp"

#include "backends/nft/nft_json_value.hpp"
#include "backends/nft/nft_total.hpp"
#include "backends/nft/read_nft_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace lbc {
namespace {

/// Elements of all sets and rules together: a range of addresses, 60 bytes of text, becomes up to 254 prefixes.
/// Elements beyond are unknown.
constexpr std::size_t most_elements = 2'000'000;

class Reader {
public:
    std::expected<std::vector<NftState>, std::string> read(NftJson const& root) {
        auto const* items = member(&root, "nftables");
        if (items == nullptr || !items->is_array())
            return std::unexpected("there is no list `nftables` in it, as `nft -j list ruleset` prints one");
        for (auto const& item : *items)
            note_updates(item);
        for (auto const& item : *items)
            if (item.is_object() && item.size() == 1)
                if (auto taken = take(item.begin().key(), item.begin().value()); !taken)
                    return std::unexpected(std::move(taken.error()));
        return std::move(tables_);
    }

private:
    /// Notes sets to which a rule adds values of packets, or from which it removes them: nft's JSON lacks the flag
    /// `dynamic`.
    void note_updates(NftJson const& item) {
        auto const* rule = member(&item, "rule");
        auto const* expressions = member(rule, "expr");
        if (expressions == nullptr || !expressions->is_array())
            return;
        for (auto const& statement : *expressions)
            for (auto const* kind : {"set", "map"})
                if (auto const* update = member(&statement, kind); update != nullptr)
                    updated_.insert(set_name(*rule, text_member(update, kind)));
    }

    static std::string set_name(NftJson const& owner, std::string_view name) {
        name.remove_prefix(name.starts_with('@') ? 1 : 0);
        return fmt::format("{} {} {}", text_member(&owner, "family"), text_member(&owner, "table"), name);
    }

    /// Whether only its owner changes its elements.
    [[nodiscard]] bool is_constant(NftJson const& set) const {
        if (updated_.contains(set_name(set, text_member(&set, "name"))))
            return false;
        auto const* flags = member(&set, "flags");
        if (flags == nullptr)
            return true;
        auto const list = flags->is_array() ? *flags : NftJson::array({*flags});
        return std::ranges::all_of(list, [](NftJson const& flag) { return flag == "interval" || flag == "constant"; });
    }

    using Taken = std::expected<void, std::string>;

    struct Place {
        std::size_t table;
        bool is_dormant;
        std::map<std::string, std::size_t> chains;
        NftSurroundings around;
    };

    Taken take(std::string const& kind, NftJson const& value) {
        if (kind == "table") {
            tables_.push_back({text_member(&value, "family"), text_member(&value, "name"), {}, {}});
            auto const& table = tables_.back();
            places_[table.family + " " + table.name] = {tables_.size() - 1, is_dormant(value), {}, {table.family}};
            return {};
        }
        if (kind != "set" && kind != "map" && kind != "chain" && kind != "rule")
            return {};
        auto const name = text_member(&value, "family") + " " + text_member(&value, "table");
        auto const place = places_.find(name);
        if (place == places_.end())
            return std::unexpected(fmt::format("a {} of the table `{}` comes before it", kind, name));
        auto& table = tables_[place->second.table];
        if (kind == "chain")
            return take_chain(table, place->second, value);
        if (kind == "rule")
            return take_rule(table, place->second, value);
        table.sets.push_back(read_set(value, kind == "map"));
        if (text_member(&value, "map") == "verdict")
            note_verdicts(place->second, value);
        return {};
    }

    static bool has_flag(NftJson const& value, std::string_view wanted) {
        auto const* flags = member(&value, "flags");
        auto const is_wanted = [&](NftJson const& flag) {
            return flag.is_string() && flag.get_ref<std::string const&>() == wanted;
        };
        return flags != nullptr && (is_wanted(*flags) || (flags->is_array() && std::ranges::any_of(*flags, is_wanted)));
    }

    /// No hook calls its chains (nf_tables_table_disable in nf_tables_api.c).
    static bool is_dormant(NftJson const& table) { return has_flag(table, "dormant"); }

    static Taken take_chain(NftState& table, Place& place, NftJson const& value) {
        NftChain chain{text_member(&value, "name"), {}, {}};
        if (member(&value, "hook") != nullptr && !place.is_dormant) {
            auto const* priority = member(&value, "prio");
            if (priority == nullptr || !priority->is_number_integer())
                return std::unexpected(fmt::format("the chain `{}` has a hook and no priority", chain.name));
            auto const number = std::clamp<std::int64_t>(priority->get<std::int64_t>(), std::numeric_limits<int>::min(),
                                                         std::numeric_limits<int>::max());
            chain.base = NftBase{text_member(&value, "type"), text_member(&value, "hook"), static_cast<int>(number),
                                 text_member(&value, "policy") == "drop"};
        }
        place.chains[chain.name] = table.chains.size();
        table.chains.push_back(std::move(chain));
        return {};
    }

    Taken take_rule(NftState& table, Place const& place, NftJson const& value) {
        auto const found = place.chains.find(text_member(&value, "chain"));
        auto const* expressions = member(&value, "expr");
        if (found == place.chains.end())
            return std::unexpected(
                fmt::format("a rule of the chain `{}` comes before it", text_member(&value, "chain")));
        table.chains[found->second].rules.push_back(
            {expressions == nullptr ? std::vector<NftStatement>{} : read_nft_rule(*expressions, place.around, left_)});
        return {};
    }

    /// Notes the elements of a verdict map, unless they come and go, or hold for some packets only: it is then unknown.
    void note_verdicts(Place& place, NftJson const& map) const {
        static NftJson const none = NftJson::array();
        if (!has_total_elements(map) || !is_constant(map))
            return;
        auto const* elements = member(&map, "elem");
        place.around.verdict_maps[text_member(&map, "name")] = elements == nullptr ? &none : elements;
    }

    NftSet read_set(NftJson const& value, bool is_map) {
        NftSet set{text_member(&value, "name"), {}, is_map};
        auto const* type = member(&value, "type");
        auto key = type == nullptr ? std::nullopt : read_type(*type);
        if (!key || key->empty() || (is_map && text_member(&value, "map") != "mark")) {
            set.unknown = "of a type that lbc does not know";
            return set;
        }
        set.key = std::move(*key);
        set.has_intervals = has_flag(value, "interval");
        if (!is_constant(value))
            set.unknown = "whose elements come and go by themselves";
        else if (!has_total_elements(value))
            set.unknown = "whose elements hold for some packets only";
        auto const* elements = member(&value, "elem");
        for (auto const& element : elements == nullptr || !elements->is_array() ? NftJson::array() : *elements)
            if (bool const has_words = add_element(element, set); !has_words || !has_room(set)) {
                set.unknown = has_words ? "of more elements than lbc reads" : "with an element that lbc does not know";
                break;
            }
        left_ -= std::min(left_, set.elements.size());
        return set;
    }

    bool has_room(NftSet& set) {
        auto const size = set.elements.size();
        if (size <= left_)
            return true;
        set.elements.clear();
        left_ = 0;
        return false;
    }

    static bool add_element(NftJson const& element, NftSet& set) {
        bool const is_pair = element.is_array() && element.size() == 2;
        if (set.is_map != is_pair)
            return false;
        auto const* value = set.is_map ? &element[0] : &element;
        if (auto const* with_more = member(value, "elem"); with_more != nullptr)
            value = is_total_element(*with_more) ? member(with_more, "val") : nullptr;
        auto elements = value == nullptr ? std::nullopt : read_value(*value, set.key);
        auto const mark = set.is_map ? number_in(element[1]) : std::optional<std::uint32_t>(0);
        if (!elements || !mark)
            return false;
        for (auto& one : *elements) {
            one.mark = Fwmark{*mark};
            set.elements.push_back(one);
        }
        return true;
    }

    std::vector<NftState> tables_;
    std::set<std::string> updated_;       // sets, with family and table
    std::map<std::string, Place> places_; // of tables
    std::size_t left_ = most_elements;
};

bool is_known(NftStatement const& statement) {
    if (auto const* match = std::get_if<NftMatch>(&statement))
        return !match->key.empty();
    return !std::holds_alternative<UnknownTarget>(statement) && !std::holds_alternative<UnknownMark>(statement) &&
           !std::holds_alternative<SetConnectionMark>(statement) && !std::holds_alternative<RestoreMark>(statement) &&
           !std::holds_alternative<NftVerdicts>(statement) && !std::holds_alternative<Continue>(statement);
}

} // namespace

std::expected<std::vector<NftState>, std::string> read_nft_json(std::string_view text) {
    auto const root = parse_json(text);
    if (!root)
        return std::unexpected(root.error());
    return read_nft_tables(*root);
}

std::expected<std::vector<NftState>, std::string> read_nft_tables(NftJson const& root) { return Reader().read(root); }

bool is_nft_json(std::string_view text) {
    auto const first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' && text.substr(0, 4096).contains("\"nftables\"");
}

bool is_known(NftState const& table) {
    return std::ranges::all_of(table.sets, [](NftSet const& set) { return set.unknown.empty(); }) &&
           std::ranges::all_of(table.chains, [](NftChain const& chain) {
               return std::ranges::all_of(chain.rules, [](NftRule const& rule) {
                   return std::ranges::all_of(rule.statements,
                                              [](NftStatement const& statement) { return is_known(statement); });
               });
           });
}

} // namespace lbc
