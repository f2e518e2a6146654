#include "backends/nft/read_nft_rule.hpp"

#include "backends/nft/nft_json_value.hpp"
#include "backends/nft/nft_total.hpp"
#include "backends/restore/target_effects.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <netinet/in.h>

namespace lbc {
namespace {

constexpr std::size_t most_statements = 128; // NFT_RULE_MAXEXPRS of nf_tables.h

/// An expression as JSON, for people.
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
        return Continue{"continue"};
    if (name == "jump")
        return Jump{text_member(&value, "target")};
    if (name == "goto")
        return Goto{text_member(&value, "target")};
    return std::nullopt;
}

/// Statements that leave marks and verdicts alone, whether they end their rule or not.
bool is_harmless(std::string_view name) {
    static constexpr std::array<std::string_view, 15> names{
        "counter", "log", "notrack", "dup",     "ct helper", "ct timeout", "ct expectation", "flow",
        "set",     "map", "meter",   "comment", "continue",  "last",       "secmark"};
    return std::ranges::find(names, name) != names.end();
}

/// Whether the walk is the same whatever a statement does to its key. `meta pkttype` is no such key: IPVS takes only
/// packets that are for the host (ip_vs_in_hook in ip_vs_core.c).
bool is_harmless_key(NftJson const* key) {
    static constexpr std::array<std::string_view, 3> of_packets{"priority", "nftrace", "secmark"};
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> of_headers{{{"ip", "ttl"},
                                                                                               {"ip", "dscp"},
                                                                                               {"ip", "ecn"},
                                                                                               {"ip", "id"},
                                                                                               {"ip", "checksum"},
                                                                                               {"ip6", "hoplimit"},
                                                                                               {"ip6", "flowlabel"},
                                                                                               {"ip6", "dscp"},
                                                                                               {"ip6", "ecn"},
                                                                                               {"udp", "checksum"}}};
    if (auto const* meta = member(key, "meta"); meta != nullptr)
        return std::ranges::find(of_packets, text_member(meta, "key")) != of_packets.end();
    if (auto const* header = member(key, "payload"); header != nullptr) {
        std::pair<std::string, std::string> const field{text_member(header, "protocol"), text_member(header, "field")};
        return std::ranges::find(of_headers, std::pair<std::string_view, std::string_view>(field)) != of_headers.end();
    }
    return member(key, "ct") != nullptr || member(key, "tcp option") != nullptr;
}

/// Reads the statements of one rule.
class RuleReader {
public:
    /// `left` is how many more elements there may be.
    RuleReader(NftSurroundings const& around, std::size_t& left) : around_(around), left_(left) {}

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
            return take_reject(statement, value);
        if (name == "snat" || name == "masquerade" || name == "dnat" || name == "redirect")
            return take_nat(statement, name, value);
        if (is_harmless(name)) {
            add_doubt(statement, name, value);
            return add(Continue{name, name == "notrack"});
        }
        if (auto const verdict = read_verdict(name, value))
            return std::visit([this](auto const& one) { add(one); }, *verdict);
        add(UnknownTarget{written(statement)});
    }

    /// Adds an unknown match if the rule may end at the statement.
    void add_doubt(NftJson const& statement, std::string_view name, NftJson const& value) {
        if (!always_goes_on(name, value))
            add(unknown_match(statement));
    }

    /// Adds the family that a statement itself requires of packets: nft does not print it.
    void add_family(NftJson const& statement, std::string_view family) {
        if (around_.family == "ip" || around_.family == "ip6")
            return;
        if (around_.family != "inet")
            return add(unknown_match(statement)); // there, `meta nfproto` is no family of an address
        add({NftMatch{.key = {NftField::family}, .number = family == "ip" ? nft_ipv4 : nft_ipv6}});
    }

    void take_reject(NftJson const& statement, NftJson const& value) {
        auto const type = text_member(&value, "type");
        if (type == "icmp")
            add_family(statement, "ip");
        else if (type == "icmpv6")
            add_family(statement, "ip6");
        else if (type == "tcp reset")
            add(protocol_match(IPPROTO_TCP));
        else if (type != "icmpx" && around_.family != "ip" && around_.family != "ip6")
            add(unknown_match(statement));
        add(Drop{"reject"});
    }

    /// NAT does nothing to packets of the other family (nft_nat_inet_eval in nft_nat.c).
    void take_nat(NftJson const& statement, std::string_view name, NftJson const& value) {
        if (auto const family = text_member(&value, "family"); !family.empty())
            add_family(statement, family);
        for (auto const* part : {"addr", "port"})
            if (auto const* to = member(&value, part); to != nullptr && !is_total(*to))
                add(unknown_match(statement));
        if (name == "snat" || name == "masquerade")
            return add(Accept{});
        add(Dnat{written(statement)});
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

    /// A match, if there is room for its elements.
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
        if (to == nullptr)
            return add(UnknownTarget{written(statement)});
        bool const is_mark = text_member(member(key, "meta"), "key") == "mark";
        if (auto const* map = member(to, "map"); is_mark && map != nullptr)
            return take_map(statement, *map);
        add_doubt(statement, "mangle", value);
        if (text_member(member(key, "ct"), "key") == "mark")
            return add(connection_mark(statement, *to));
        if (!is_mark)
            return is_harmless_key(key) ? add(Continue{written(statement)}) : add(UnknownTarget{written(statement)});
        auto const mark = read_mark(*to);
        if (!mark)
            return add(UnknownMark{written(statement)});
        if (mark->is_of_connection)
            return add(RestoreMark{written(statement), whole_mark, mark->flip, mark->keep});
        add(SetMark{Fwmark{mark->flip}, ~mark->keep});
    }

    static SetConnectionMark connection_mark(NftJson const& statement, NftJson const& to) {
        SetConnectionMark set{.name = written(statement)};
        auto const mark = read_mark(to);
        set.is_any = !mark;
        if (mark) {
            set.flipped = mark->flip;
            set.cleared = mark->is_of_connection ? ~mark->keep : whole_mark;
            set.saved = mark->is_of_connection ? 0 : mark->keep;
        }
        return set;
    }

    void take_map(NftJson const& statement, NftJson const& map) {
        auto const* key = member(&map, "key");
        auto const set = text_member(&map, "data");
        auto const left = key == nullptr ? std::nullopt : read_left(*key);
        if (!left || !set.starts_with('@')) {
            add(unknown_match(statement)); // the map may have no element for the packet
            return add(UnknownMark{written(statement)});
        }
        add_implied(*left);
        add(NftMapMark{left->key, set.substr(1)});
    }

    void take_verdicts(NftJson const& statement, NftJson const& value) {
        auto const* key = member(&value, "key");
        auto const* cases = cases_of(member(&value, "data"));
        if (key == nullptr || cases == nullptr || !cases->is_array())
            return add(UnknownTarget{written(statement)});
        auto const left = read_left(*key);
        NftVerdicts verdicts{{}, written(statement)};
        for (auto const& one : *cases) {
            if (!one.is_array() || one.size() != 2 || !one[1].is_object() || one[1].size() != 1)
                return add(UnknownTarget{written(statement)});
            auto const verdict = read_verdict(one[1].begin().key(), one[1].begin().value());
            auto const* element = member(&one[0], "elem");
            bool const is_sure = element == nullptr || is_total_element(*element);
            auto const* values = element == nullptr ? &one[0] : member(element, "val");
            auto match = left && is_sure && values != nullptr ? read(*left, *values, false) : std::nullopt;
            if (!verdict)
                return add(UnknownTarget{written(statement)});
            verdicts.cases.emplace_back(match ? std::move(*match) : unknown_match(statement), *verdict);
        }
        if (left)
            add_implied(*left);
        add(std::move(verdicts));
    }

    /// The cases in the rule itself, or in a map of the table.
    [[nodiscard]] NftJson const* cases_of(NftJson const* data) const {
        if (data == nullptr || !data->is_string())
            return member(data, "set");
        auto const& name = data->get_ref<std::string const&>();
        auto const found = around_.verdict_maps.find(name.starts_with('@') ? name.substr(1) : name);
        return found == around_.verdict_maps.end() ? nullptr : found->second;
    }

    /// iptables-nft leaves parts of its rules to extensions of xtables, of which nft's JSON has only the name.
    void take_xt(NftJson const& statement, NftJson const& value) {
        if (text_member(&value, "type") == "match")
            return add(unknown_match(statement));
        auto const name = text_member(&value, "name");
        if (is_continuing_target(name))
            return add(Continue{name, is_untracking_target(name)});
        if (name == "REJECT")
            return add(Drop{name});
        add(UnknownTarget{written(statement)});
    }

    NftSurroundings const& around_;
    std::size_t& left_;
    std::vector<NftStatement> statements_;
};

} // namespace

std::vector<NftStatement> read_nft_rule(NftJson const& expressions, NftSurroundings const& around, std::size_t& left) {
    return RuleReader(around, left).read(expressions);
}

} // namespace lbc
