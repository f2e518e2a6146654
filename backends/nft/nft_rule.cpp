#include "backends/nft/nft_rule.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace lbc {
namespace {

constexpr int ipvs_input = 98;   // NF_IP_PRI_NAT_SRC - 2, of LOCAL_IN (ip_vs_core.c)
constexpr int ipvs_output = -99; // NF_IP_PRI_NAT_DST + 1, of LOCAL_OUT

struct FieldWords {
    std::string_view looks_at;
    std::string_view type;
};

FieldWords words_of(NftField field) {
    switch (field) {
    case NftField::destination4: return {"ip daddr", "ipv4_addr"};
    case NftField::destination6: return {"ip6 daddr", "ipv6_addr"};
    case NftField::protocol: return {"meta l4proto", "inet_proto"};
    case NftField::port: return {"th dport", "inet_service"};
    case NftField::source_mac: return {"ether saddr", "ether_addr"};
    case NftField::in_interface: return {"iifname", "ifname"};
    case NftField::in_type: return {"iiftype", "iface_type"};
    case NftField::family: return {"meta nfproto", "nf_proto"};
    case NftField::mark: break;
    }
    return {"meta mark", "mark"};
}

std::string key_types(NftKey const& key) {
    std::string types;
    for (auto const field : key)
        fmt::format_to(std::back_inserter(types), "{}{}", types.empty() ? "" : " . ", words_of(field).type);
    return types;
}

void append_field(std::string& out, NftElement const& element, NftField field) {
    switch (field) {
    case NftField::destination4:
    case NftField::destination6: out += element.destination.str(); return;
    case NftField::protocol: {
        auto const protocol = static_cast<Protocol>(element.protocol);
        bool const is_named = protocol == Protocol::tcp || protocol == Protocol::udp || protocol == Protocol::sctp;
        out += is_named ? std::string(to_string(protocol)) : std::to_string(element.protocol);
        return;
    }
    case NftField::port: out += element.ports.str(); return;
    case NftField::source_mac: out += element.mac.str(); return;
    case NftField::in_interface:
    case NftField::in_type:
    case NftField::family:
    case NftField::mark: return; // no element has them
    }
}

/// Several words as a set; a single word stays without braces.
std::string set_of(std::vector<std::string> const& words) {
    return words.size() == 1 ? words.front() : fmt::format("{{ {} }}", fmt::join(words, ", "));
}

std::string number_words(NftMatch const& match) {
    switch (match.key.front()) {
    case NftField::family:
        return match.number == nft_ipv4 ? "ipv4" : match.number == nft_ipv6 ? "ipv6" : fmt::to_string(match.number);
    case NftField::in_type: return match.number == nft_ether ? "ether" : fmt::to_string(match.number);
    default: return Fwmark{match.number}.str();
    }
}

std::string value_words(NftMatch const& match) {
    if (!match.set.empty())
        return "@" + match.set;
    std::vector<std::string> words;
    for (auto const& element : match.elements)
        append_element(words.emplace_back(), element, match.key, false);
    for (auto const& interface : match.interfaces)
        words.push_back(interface_words(interface));
    return words.empty() ? number_words(match) : set_of(words);
}

std::string match_words(NftMatch const& match) {
    if (match.key.empty())
        return match.unknown;
    if (match.key.front() == NftField::mark && match.mask != whole_mark)
        return fmt::format("meta mark & {} {} {}", Fwmark{match.mask}.str(),
                           match.negated ? "!=" : "==", number_words(match));
    return fmt::format("{} {}{}", key_words(match.key), match.negated ? "!= " : "", value_words(match));
}

std::string mark_words(SetMark const& set) {
    if (set.mask == whole_mark)
        return fmt::format("meta mark set {}", set.mark.str());
    return fmt::format("meta mark set meta mark & {} ^ {}", Fwmark{~set.mask}.str(), set.mark.str());
}

struct StatementWords {
    std::string operator()(NftMatch const& match) const { return match_words(match); }
    std::string operator()(NftMapMark const& map) const {
        return fmt::format("meta mark set {} map @{}", key_words(map.key), map.set);
    }
    std::string operator()(NftVerdicts const& verdicts) const { return verdicts.words; }
    std::string operator()(SetMark const& set) const { return mark_words(set); }
    std::string operator()(Jump const& jump) const { return "jump " + jump.chain; }
    std::string operator()(Goto const& to) const { return "goto " + to.chain; }
    std::string operator()(Return const& /*end*/) const { return "return"; }
    std::string operator()(Drop const& drop) const { return drop.name == Drop{}.name ? "drop" : drop.name; }
    std::string operator()(Accept const& /*end*/) const { return "accept"; }
    std::string operator()(Dnat const& dnat) const { return dnat.name; }
    std::string operator()(Continue const& pass) const { return pass.name; }
    std::string operator()(SetConnectionMark const& set) const { return set.name; }
    std::string operator()(RestoreMark const& restore) const { return restore.name; }
    std::string operator()(UnknownMark const& mark) const { return mark.name; }
    std::string operator()(UnknownTarget const& target) const { return target.name; }
};

} // namespace

std::optional<BaseChain> base_of(NftChain const& chain) {
    using enum BaseChain::Hook;
    if (!chain.base)
        return std::nullopt;
    auto const& base = *chain.base;
    bool const is_nat = base.type == "nat";
    if (base.hook == "ingress")
        return BaseChain{chain.name, ingress, base.priority, is_nat};
    if (base.hook == "prerouting")
        return BaseChain{chain.name, prerouting, base.priority, is_nat};
    if (base.hook == "input" && base.priority < ipvs_input)
        return BaseChain{chain.name, input, base.priority, is_nat};
    if (base.hook == "output" && base.priority < ipvs_output)
        return BaseChain{chain.name, output, base.priority, is_nat};
    return std::nullopt;
}

std::string NftSet::definition() const {
    return fmt::format("type {}{};{}", key_types(key), is_map ? " : mark" : "",
                       has_intervals ? " flags interval;" : "");
}

bool NftSet::is_same(NftSet const& other) const {
    if (name != other.name || key != other.key || is_map != other.is_map || has_intervals != other.has_intervals ||
        unknown != other.unknown || elements.size() != other.elements.size())
        return false;
    auto mine = elements;
    auto others = other.elements;
    std::ranges::sort(mine);
    std::ranges::sort(others);
    return mine == others;
}

bool NftState::empty() const { return sets.empty() && rules() == 0; }

NftSet const* NftState::find_set(std::string_view set) const {
    auto const found = std::ranges::find(sets, set, &NftSet::name);
    return found == sets.end() ? nullptr : &*found;
}

std::size_t NftState::rules() const {
    std::size_t count = 0;
    for (auto const& chain : chains)
        count += chain.rules.size();
    return count;
}

std::size_t NftState::rule_count() const {
    auto count = rules();
    for (auto const& set : sets)
        count += set.elements.size();
    return count;
}

std::vector<Fwmark> NftState::marks() const {
    std::vector<Fwmark> marks;
    for (auto const& set : sets)
        if (set.is_map)
            std::ranges::transform(set.elements, std::back_inserter(marks), &NftElement::mark);
    return marks;
}

std::string key_words(NftKey const& key) {
    std::string words;
    for (auto const field : key)
        fmt::format_to(std::back_inserter(words), "{}{}", words.empty() ? "" : " . ", words_of(field).looks_at);
    return words;
}

void append_element(std::string& out, NftElement const& element, NftKey const& key, bool is_map) {
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (i != 0)
            out += " . ";
        append_field(out, element, key[i]);
    }
    if (is_map) {
        out += " : ";
        out += element.mark.str();
    }
}

std::string to_string(NftRule const& rule) {
    std::vector<std::string> words;
    for (auto const& statement : rule.statements)
        words.push_back(std::visit(StatementWords(), statement));
    return fmt::to_string(fmt::join(words, " "));
}

std::string interface_words(InterfacePattern const& pattern) {
    std::string name(pattern.str()); // the language has no interface with `"`
    if (pattern.is_wildcard()) {
        name.pop_back();
        return name.ends_with('\\') ? std::string() : fmt::format("\"{}*\"", name);
    }
    if (name.ends_with('*'))
        name.insert(name.size() - 1, 1, '\\'); // else it would be a wildcard
    return fmt::format("\"{}\"", name);
}

} // namespace lbc
