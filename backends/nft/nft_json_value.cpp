#include "backends/nft/nft_json_value.hpp"

#include "backends/restore/rule_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t most_values = 1'000'000;
constexpr int deepest_mark = 16; // `&`, `|` and `^` within one another

NftMatch family_match(std::uint32_t family) { return {.key = {NftField::family}, .number = family}; }

std::optional<NftLookedAt> read_payload(NftJson const& payload) {
    auto const protocol = text_member(&payload, "protocol");
    auto const field = text_member(&payload, "field");
    if (protocol == "ip" && field == "daddr")
        return NftLookedAt{{NftField::destination4}, {}};
    if (protocol == "ip6" && field == "daddr")
        return NftLookedAt{{NftField::destination6}, {}};
    if (protocol == "ip" && field == "protocol")
        return NftLookedAt{{NftField::protocol}, {family_match(nft_ipv4)}};
    if (protocol == "ether" && field == "saddr")
        return NftLookedAt{{NftField::source_mac}, {}};
    if (field != "dport")
        return std::nullopt;
    if (protocol == "th")
        return NftLookedAt{{NftField::port}, {}};
    auto const number = rule_protocol(protocol);
    return number && *number != 0 ? std::optional(NftLookedAt{{NftField::port}, {protocol_match(*number)}})
                                  : std::nullopt;
}

std::optional<NftLookedAt> read_meta(std::string const& key) {
    static constexpr std::array<std::pair<std::string_view, NftField>, 6> fields{{{"l4proto", NftField::protocol},
                                                                                  {"iifname", NftField::in_interface},
                                                                                  {"iif", NftField::in_interface},
                                                                                  {"iiftype", NftField::in_type},
                                                                                  {"nfproto", NftField::family},
                                                                                  {"mark", NftField::mark}}};
    auto const* const found = std::ranges::find(fields, key, &std::pair<std::string_view, NftField>::first);
    return found == fields.end() ? std::nullopt : std::optional(NftLookedAt{{found->second}, {}});
}

bool is_destination(NftField field) { return field == NftField::destination4 || field == NftField::destination6; }

/// Whether a key has a field already. An element has one value per field, and several ranges of addresses in one
/// element would become as many prefixes as their product: a source with a destination, of which lbc knows only the
/// destination.
bool repeats(NftKey const& key, NftKey const& more) {
    return std::ranges::any_of(more, [&](NftField field) {
        return std::ranges::any_of(
            key, [&](NftField other) { return other == field || (is_destination(other) && is_destination(field)); });
    });
}

std::optional<NftLookedAt> read_concatenation(NftJson const& parts) {
    if (!parts.is_array())
        return std::nullopt;
    NftLookedAt all;
    for (auto const& part : parts) {
        auto const* payload = member(&part, "payload");
        auto const* meta = member(&part, "meta");
        auto one = payload != nullptr ? read_payload(*payload)
                   : meta != nullptr  ? read_meta(text_member(meta, "key"))
                                      : std::nullopt;
        if (!one)
            return std::nullopt;
        if (repeats(all.key, one->key))
            return std::nullopt;
        all.key.insert(all.key.end(), one->key.begin(), one->key.end());
        all.implied.insert(all.implied.end(), one->implied.begin(), one->implied.end());
    }
    return all;
}

/// Both ends of a range, or the one value twice.
std::optional<std::pair<NftJson const*, NftJson const*>> ends_of(NftJson const& value) {
    auto const* range = member(&value, "range");
    if (range == nullptr)
        return std::pair(&value, &value);
    if (!range->is_array() || range->size() != 2)
        return std::nullopt;
    return std::pair(&(*range)[0], &(*range)[1]);
}

/// The prefixes that make up a range of addresses.
std::vector<Prefix> prefixes_of(IpAddress first, IpAddress const& last) {
    std::vector<Prefix> prefixes;
    while (first <= last) {
        auto prefix = Prefix::host(first);
        while (prefix.length > 0) {
            auto const wider = Prefix::of(first, prefix.length - 1);
            if (wider.address != first || wider.last() > last)
                break;
            prefix = wider;
        }
        prefixes.push_back(prefix);
        if (prefix.last() == last)
            break;
        first = prefix.last().next();
    }
    return prefixes;
}

std::optional<IpAddress> address_in(NftJson const& value, Family family) {
    if (!value.is_string())
        return std::nullopt;
    auto const address = IpAddress::parse(value.get_ref<std::string const&>());
    return address && address->family() == family ? address : std::nullopt;
}

std::optional<std::vector<Prefix>> read_prefixes(NftJson const& value, Family family) {
    if (auto const* prefix = member(&value, "prefix"); prefix != nullptr) {
        auto const* text = member(prefix, "addr");
        auto const address = text == nullptr ? std::nullopt : address_in(*text, family);
        auto const* bits = member(prefix, "len");
        auto const length = bits == nullptr ? std::nullopt : number_in(*bits);
        if (!address || !length || std::cmp_greater(*length, address->bits()))
            return std::nullopt;
        return std::vector{Prefix::of(*address, static_cast<int>(*length))};
    }
    auto const ends = ends_of(value);
    if (!ends)
        return std::nullopt;
    auto const first = address_in(*ends->first, family);
    auto const last = address_in(*ends->second, family);
    if (!first || !last || *last < *first)
        return std::nullopt;
    return prefixes_of(*first, *last);
}

std::optional<PortRange> read_ports(NftJson const& value) {
    auto const ends = ends_of(value);
    if (!ends)
        return std::nullopt;
    auto const first = number_in(*ends->first);
    auto const last = number_in(*ends->second);
    constexpr std::uint32_t largest = std::numeric_limits<std::uint16_t>::max();
    if (!first || !last || *first > *last || *last > largest)
        return std::nullopt;
    return PortRange{Port{static_cast<std::uint16_t>(*first)}, Port{static_cast<std::uint16_t>(*last)}};
}

std::optional<std::uint8_t> read_protocol(NftJson const& value) {
    if (value.is_string())
        return rule_protocol(value.get_ref<std::string const&>());
    auto const number = number_in(value);
    constexpr std::uint32_t largest = std::numeric_limits<std::uint8_t>::max();
    return number && *number <= largest ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
}

/// Sets a field of all elements. Several prefixes multiply the elements: each element occurs once per prefix.
bool read_field(NftJson const& value, NftField field, std::vector<NftElement>& elements) {
    auto const set_all = [&](auto NftElement::* to, auto const& found) {
        if (found)
            for (auto& element : elements)
                element.*to = *found;
        return found.has_value();
    };
    switch (field) {
    case NftField::protocol: return set_all(&NftElement::protocol, read_protocol(value));
    case NftField::port: return set_all(&NftElement::ports, read_ports(value));
    case NftField::source_mac:
        return value.is_string() && set_all(&NftElement::mac, MacAddress::parse(value.get_ref<std::string const&>()));
    case NftField::destination4:
    case NftField::destination6: break;
    default: return false;
    }
    auto const prefixes = read_prefixes(value, field == NftField::destination4 ? Family::ipv4 : Family::ipv6);
    if (!prefixes)
        return false;
    std::vector<NftElement> all;
    for (auto const& prefix : *prefixes)
        for (auto element : elements) {
            element.destination = prefix;
            all.push_back(element);
        }
    elements = std::move(all);
    return true;
}

std::optional<InterfacePattern> read_interface(NftJson const& value) {
    if (!value.is_string())
        return std::nullopt;
    auto name = value.get<std::string>();
    if (name.ends_with("\\*"))
        name.erase(name.size() - 2, 1);
    else if (name.ends_with('*'))
        name.back() = '+';
    else if (name.ends_with('+'))
        return std::nullopt; // the interface of exactly this name, which an InterfacePattern cannot represent
    return InterfacePattern::parse(name);
}

std::optional<std::uint32_t> read_plain(NftJson const& value, NftField field) {
    if (field == NftField::family && value == "ipv4")
        return nft_ipv4;
    if (field == NftField::family && value == "ipv6")
        return nft_ipv6;
    if (field == NftField::in_type && value == "ether")
        return nft_ether;
    return number_in(value);
}

/// nft lists a mask of leading ones as a prefix.
bool read_number(NftJson const& value, NftField field, NftMatch& match) {
    if (auto const* prefix = member(&value, "prefix"); prefix != nullptr && field == NftField::mark) {
        auto const* address = member(prefix, "addr");
        auto const* bits = member(prefix, "len");
        auto const number = address == nullptr ? std::nullopt : number_in(*address);
        auto const length = bits == nullptr ? std::nullopt : number_in(*bits);
        constexpr std::uint32_t all = 32;
        if (!number || !length || *length == 0 || *length > all || match.mask != whole_mark)
            return false;
        match.number = *number;
        match.mask = whole_mark << (all - *length);
        return true;
    }
    auto const number = read_plain(value, field);
    match.number = number.value_or(0);
    return number.has_value();
}

std::optional<MarkFunction> mark_function(NftJson const& expression, int depth) {
    if (auto const* meta = member(&expression, "meta"); meta != nullptr)
        return text_member(meta, "key") == "mark" ? std::optional(MarkFunction{}) : std::nullopt;
    if (auto const* connection = member(&expression, "ct"); connection != nullptr)
        return text_member(connection, "key") == "mark" && !connection->contains("dir")
                   ? std::optional(MarkFunction{.is_of_connection = true})
                   : std::nullopt;
    if (auto const number = number_in(expression))
        return MarkFunction{0, *number};
    for (auto const* operation : {"&", "|", "^"}) {
        auto const* sides = member(&expression, operation);
        if (sides == nullptr || !sides->is_array() || sides->size() != 2 || depth == 0)
            continue;
        auto const left = mark_function((*sides)[0], depth - 1);
        auto const number = number_in((*sides)[1]);
        if (!left || !number)
            return std::nullopt;
        if (*operation == '&')
            return MarkFunction{left->keep & *number, left->flip & *number, left->is_of_connection};
        if (*operation == '^')
            return MarkFunction{left->keep, left->flip ^ *number, left->is_of_connection};
        return MarkFunction{left->keep & ~*number, left->flip | *number, left->is_of_connection};
    }
    return std::nullopt;
}

} // namespace

NftMatch protocol_match(std::uint8_t protocol) {
    return {.key = {NftField::protocol}, .elements = {{.protocol = protocol}}};
}

std::optional<NftLookedAt> read_left(NftJson const& expression) {
    if (auto const* payload = member(&expression, "payload"); payload != nullptr)
        return read_payload(*payload);
    if (auto const* meta = member(&expression, "meta"); meta != nullptr)
        return read_meta(text_member(meta, "key"));
    if (auto const* parts = member(&expression, "concat"); parts != nullptr)
        return read_concatenation(*parts);
    auto const* sides = member(&expression, "&");
    if (sides == nullptr || !sides->is_array() || sides->size() != 2)
        return std::nullopt;
    auto const* meta = member(&(*sides)[0], "meta");
    auto const mask = number_in((*sides)[1]);
    if (text_member(meta, "key") != "mark" || !mask)
        return std::nullopt;
    return NftLookedAt{{NftField::mark}, {}, *mask};
}

std::optional<NftKey> read_type(NftJson const& type) {
    static constexpr std::array<std::pair<std::string_view, NftField>, 5> types{{{"ipv4_addr", NftField::destination4},
                                                                                 {"ipv6_addr", NftField::destination6},
                                                                                 {"inet_proto", NftField::protocol},
                                                                                 {"inet_service", NftField::port},
                                                                                 {"ether_addr", NftField::source_mac}}};
    auto const list = type.is_array() ? type : NftJson::array({type});
    NftKey key;
    for (auto const& one : list) {
        if (!one.is_string())
            return std::nullopt;
        auto const* const found = std::ranges::find(types, std::string_view(one.get_ref<std::string const&>()),
                                                    &std::pair<std::string_view, NftField>::first);
        if (found == types.end())
            return std::nullopt;
        if (repeats(key, {found->second}))
            return std::nullopt;
        key.push_back(found->second);
    }
    return key;
}

std::optional<std::vector<NftElement>> read_value(NftJson const& value, NftKey const& key) {
    std::vector<NftElement> elements(1);
    if (key.size() == 1)
        return read_field(value, key.front(), elements) ? std::optional(std::move(elements)) : std::nullopt;
    auto const* parts = member(&value, "concat");
    if (parts == nullptr || !parts->is_array() || parts->size() != key.size())
        return std::nullopt;
    for (std::size_t i = 0; i < key.size(); ++i)
        if (!read_field((*parts)[i], key[i], elements))
            return std::nullopt;
    return elements;
}

std::optional<NftMatch> read_match(NftLookedAt const& left, NftJson const& right, bool negated) {
    NftMatch match{.key = left.key, .negated = negated, .mask = left.mask};
    if (right.is_string() && right.get_ref<std::string const&>().starts_with('@')) {
        match.set = on_one_line(right.get_ref<std::string const&>()).substr(1);
        return match;
    }
    auto const* set = member(&right, "set");
    if (set != nullptr && !set->is_array())
        return std::nullopt;
    auto const values = set != nullptr ? *set : NftJson::array({right});
    auto const field = left.key.front();
    for (auto const& value : values) {
        if (field == NftField::in_interface && left.key.size() == 1) {
            auto const interface = read_interface(value);
            if (!interface)
                return std::nullopt;
            match.interfaces.push_back(*interface);
            continue;
        }
        if (field == NftField::in_type || field == NftField::family || field == NftField::mark) {
            if (values.size() != 1 || left.key.size() != 1 || !read_number(value, field, match))
                return std::nullopt;
            return match;
        }
        auto const elements = read_value(value, left.key);
        if (!elements || match.elements.size() + elements->size() > most_values)
            return std::nullopt;
        match.elements.insert(match.elements.end(), elements->begin(), elements->end());
    }
    if (match.elements.empty() && match.interfaces.empty())
        return std::nullopt;
    std::ranges::sort(match.elements);
    std::ranges::sort(match.interfaces);
    return match;
}

std::optional<MarkFunction> read_mark(NftJson const& expression) { return mark_function(expression, deepest_mark); }

} // namespace lbc
