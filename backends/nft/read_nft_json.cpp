#include "backends/nft/read_nft_json.hpp"

#include "backends/nft/nft_json_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace lbc {
namespace {

constexpr std::size_t most_statements = 128; // NFT_RULE_MAXEXPRS of nf_tables.h
/// Elements of all sets and rules together: a range of addresses is up to 254 prefixes, of 60 bytes of text. What is
/// beyond is not known.
constexpr std::size_t most_elements = 2'000'000;

/// An expression as it stands in the text, for people.
std::string written(NftJson const& value) { return value.dump(-1, ' ', true, NftJson::error_handler_t::replace); }

NftMatch unknown_match(NftJson const& statement) { return {.key = {}, .unknown = written(statement)}; }

std::optional<NftVerdicts::Verdict> read_verdict(std::string_view name, NftJson const& value) {
    if (name == "accept")
        return Accept{};
    if (name == "drop")
        return Drop{};
    if (name == "return")
        return Return{};
    if (name == "continue")
        return Pass{"continue"};
    if (name == "jump")
        return Jump{text_member(&value, "target")};
    if (name == "goto")
        return Goto{text_member(&value, "target")};
    return std::nullopt;
}

/// Statements that leave marks alone, and behind which the walk goes on.
bool is_harmless(std::string_view name) {
    static constexpr std::array<std::string_view, 14> names{
        "counter", "log", "notrack", "dup",     "ct helper", "ct timeout", "ct expectation",
        "flow",    "set", "map",     "comment", "continue",  "last",       "secmark"};
    return std::ranges::find(names, name) != names.end();
}

/// Reads the statements of one rule.
class RuleReader {
public:
    /// `left` is how many elements there may still be.
    explicit RuleReader(std::size_t& left) : left_(left) {}

    std::vector<NftStatement> read(NftJson const& expressions) {
        if (!expressions.is_array() || expressions.size() > most_statements)
            return {UnknownTarget{"of more statements than a kernel has in a rule"}};
        for (auto const& statement : expressions)
            take(statement);
        return std::move(statements_);
    }

private:
    void take(NftJson const& statement) {
        if (!statement.is_object() || statement.size() != 1)
            return add(UnknownTarget{written(statement)});
        auto const& name = statement.begin().key();
        auto const& value = statement.begin().value();
        if (name == "match")
            return take_match(statement, value);
        if (name == "mangle")
            return take_mangle(statement, value);
        if (name == "vmap")
            return take_verdicts(statement, value);
        if (name == "xt")
            return take_xt(statement, value);
        if (name == "limit" || name == "quota" || name == "ct count" || name == "connlimit")
            return add(unknown_match(statement));
        if (name == "reject")
            return add(Drop{"reject"});
        if (name == "snat" || name == "masquerade")
            return add(Accept{});
        if (is_harmless(name))
            return add(Pass{name});
        if (auto const verdict = read_verdict(name, value))
            return std::visit([this](auto const& one) { add(one); }, *verdict);
        add(UnknownTarget{written(statement)});
    }

    void add(NftStatement statement) { statements_.push_back(std::move(statement)); }

    void add_implied(NftLookedAt const& left) {
        for (auto const& match : left.implied)
            add(match);
    }

    void take_match(NftJson const& statement, NftJson const& value) {
        auto const operation = text_member(&value, "op");
        auto const* left = member(&value, "left");
        auto const* right = member(&value, "right");
        if (left == nullptr || right == nullptr || (operation != "==" && operation != "!="))
            return add(unknown_match(statement));
        auto const looked_at = read_left(*left);
        auto match = looked_at ? read(*looked_at, *right, operation == "!=") : std::nullopt;
        if (!match)
            return add(unknown_match(statement));
        add_implied(*looked_at);
        add(std::move(*match));
    }

    /// A match of what an expression looks at, where there is room for its elements.
    std::optional<NftMatch> read(NftLookedAt const& left, NftJson const& right, bool negated) {
        if (left_ == 0)
            return std::nullopt;
        auto match = read_match(left, right, negated);
        auto const size = match ? match->elements.size() : 0;
        if (size > left_)
            match.reset();
        left_ -= std::min(left_, size);
        return match;
    }

    void take_mangle(NftJson const& statement, NftJson const& value) {
        auto const* key = member(&value, "key");
        auto const* to = member(&value, "value");
        if (to == nullptr || member(key, "payload") != nullptr)
            return add(UnknownTarget{written(statement)});
        auto const* meta = member(key, "meta");
        if (text_member(meta, "key") != "mark")
            return add(Pass{written(statement)});
        if (auto const mark = read_mark(*to))
            return add(*mark);
        if (auto const* map = member(to, "map"); map != nullptr)
            return take_map(statement, *map);
        add(AnyMark{written(statement)});
    }

    void take_map(NftJson const& statement, NftJson const& map) {
        auto const* key = member(&map, "key");
        auto const set = text_member(&map, "data");
        auto const left = key == nullptr ? std::nullopt : read_left(*key);
        if (!left || !set.starts_with('@')) {
            add(unknown_match(statement)); // the packet may not be in it
            return add(AnyMark{written(statement)});
        }
        add_implied(*left);
        add(NftMapMark{left->key, set.substr(1)});
    }

    void take_verdicts(NftJson const& statement, NftJson const& value) {
        auto const* key = member(&value, "key");
        auto const* cases = member(member(&value, "data"), "set");
        if (key == nullptr || cases == nullptr || !cases->is_array())
            return add(UnknownTarget{written(statement)});
        auto const left = read_left(*key);
        NftVerdicts verdicts{{}, written(statement)};
        for (auto const& one : *cases) {
            if (!one.is_array() || one.size() != 2 || !one[1].is_object() || one[1].size() != 1)
                return add(UnknownTarget{written(statement)});
            auto const verdict = read_verdict(one[1].begin().key(), one[1].begin().value());
            auto match = left ? read(*left, one[0], false) : std::nullopt;
            if (!verdict)
                return add(UnknownTarget{written(statement)});
            verdicts.cases.emplace_back(match ? std::move(*match) : unknown_match(statement), *verdict);
        }
        if (left)
            add_implied(*left);
        add(std::move(verdicts));
    }

    /// iptables-nft gives parts of its rules to extensions of xtables, of which this says the name alone.
    void take_xt(NftJson const& statement, NftJson const& value) {
        if (text_member(&value, "type") == "match")
            return add(unknown_match(statement));
        static constexpr std::array<std::string_view, 6> harmless{"LOG", "NFLOG", "TCPMSS", "CHECKSUM", "TRACE", "CT"};
        auto const name = text_member(&value, "name");
        if (std::ranges::find(harmless, name) != harmless.end())
            return add(Pass{name});
        if (name == "REJECT")
            return add(Drop{name});
        add(UnknownTarget{written(statement)});
    }

    std::size_t& left_;
    std::vector<NftStatement> statements_;
};

class Reader {
public:
    std::expected<std::vector<NftState>, std::string> read(NftJson const& root) {
        auto const* items = member(&root, "nftables");
        if (items == nullptr || !items->is_array())
            return std::unexpected("there is no list `nftables` in it, as `nft -j list ruleset` prints one");
        for (auto const& item : *items)
            if (item.is_object() && item.size() == 1)
                if (auto taken = take(item.begin().key(), item.begin().value()); !taken)
                    return std::unexpected(std::move(taken.error()));
        return std::move(tables_);
    }

private:
    using Taken = std::expected<void, std::string>;

    Taken take(std::string const& kind, NftJson const& value) {
        if (kind == "table") {
            tables_.push_back({text_member(&value, "family"), text_member(&value, "name"), {}, {}});
            places_[tables_.back().family + " " + tables_.back().name] = {tables_.size() - 1, {}};
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
            return take_chain(table, place->second.chains, value);
        if (kind == "rule")
            return take_rule(table, place->second.chains, value);
        table.sets.push_back(read_set(value, kind == "map"));
        return {};
    }

    using Places = std::map<std::string, std::size_t>;

    static Taken take_chain(NftState& table, Places& chains, NftJson const& value) {
        NftChain chain{text_member(&value, "name"), {}, {}};
        if (member(&value, "hook") != nullptr) {
            auto const* priority = member(&value, "prio");
            if (priority == nullptr || !priority->is_number_integer())
                return std::unexpected(fmt::format("the chain `{}` has a hook and no priority", chain.name));
            auto const number = std::clamp<std::int64_t>(priority->get<std::int64_t>(), std::numeric_limits<int>::min(),
                                                         std::numeric_limits<int>::max());
            chain.base = NftBase{text_member(&value, "type"), text_member(&value, "hook"), static_cast<int>(number),
                                 text_member(&value, "policy") == "drop"};
        }
        chains[chain.name] = table.chains.size();
        table.chains.push_back(std::move(chain));
        return {};
    }

    Taken take_rule(NftState& table, Places const& chains, NftJson const& value) {
        auto const found = chains.find(text_member(&value, "chain"));
        auto const* expressions = member(&value, "expr");
        if (found == chains.end())
            return std::unexpected(
                fmt::format("a rule of the chain `{}` comes before it", text_member(&value, "chain")));
        table.chains[found->second].rules.push_back(
            {expressions == nullptr ? std::vector<NftStatement>{} : RuleReader(left_).read(*expressions)});
        return {};
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
        read_flags(value, set);
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

    static void read_flags(NftJson const& value, NftSet& set) {
        auto const* flags = member(&value, "flags");
        for (auto const& flag : flags == nullptr || !flags->is_array() ? NftJson::array() : *flags) {
            if (flag == "interval")
                set.has_intervals = true;
            else if (flag != "constant")
                set.unknown = "whose elements come and go by themselves";
        }
    }

    static bool add_element(NftJson const& element, NftSet& set) {
        bool const is_pair = element.is_array() && element.size() == 2;
        if (set.is_map != is_pair)
            return false;
        auto const* value = set.is_map ? &element[0] : &element;
        if (auto const* with_more = member(value, "elem"); with_more != nullptr)
            value = member(with_more, "val");
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

    struct Place {
        std::size_t table;
        Places chains;
    };

    std::vector<NftState> tables_;
    std::map<std::string, Place> places_; // of tables
    std::size_t left_ = most_elements;
};

bool is_known(NftStatement const& statement) {
    if (auto const* match = std::get_if<NftMatch>(&statement))
        return !match->key.empty();
    return !std::holds_alternative<UnknownTarget>(statement) && !std::holds_alternative<AnyMark>(statement) &&
           !std::holds_alternative<NftVerdicts>(statement) && !std::holds_alternative<Pass>(statement);
}

} // namespace

std::expected<std::vector<NftState>, std::string> read_nft_json(std::string_view text) {
    auto const root = parse_json(text);
    if (!root)
        return std::unexpected(root.error());
    return Reader().read(*root);
}

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
