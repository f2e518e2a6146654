#include "backends/nft/nft_element_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t boundary = 4;

std::size_t size_of(NftField field) {
    switch (field) {
    case NftField::destination4: return 4;
    case NftField::destination6: return 16;
    case NftField::protocol: return 1;
    case NftField::port: return 2;
    case NftField::source_mac: return 6;
    default: return 0; // no own element has them
    }
}

std::size_t size_of(NftKey const& key) {
    if (key.size() == 1)
        return size_of(key.front());
    std::size_t size = 0;
    for (auto const field : key)
        size += (size_of(field) + boundary - 1) / boundary * boundary;
    return size;
}

enum class End : bool { first, last };

void append(NftKeyBytes& to, void const* bytes, NftField field) {
    std::memcpy(to.bytes.data() + to.size, bytes, size_of(field));
    to.size += (size_of(field) + boundary - 1) / boundary * boundary;
}

NftKeyBytes bytes_of(NftElement const& element, NftKey const& key, End end) {
    NftKeyBytes bytes;
    for (auto const field : key) {
        if (field == NftField::destination4 || field == NftField::destination6) {
            auto const address = end == End::first ? element.destination.address : element.destination.last();
            append(bytes, address.bytes().data(), field);
        } else if (field == NftField::protocol) {
            append(bytes, &element.protocol, field);
        } else if (field == NftField::port) {
            auto const port = end == End::first ? element.ports.first.value : element.ports.last.value;
            std::array<unsigned char, 2> const wire{static_cast<unsigned char>(port >> 8U),
                                                    static_cast<unsigned char>(port)};
            append(bytes, wire.data(), field);
        } else if (field == NftField::source_mac) {
            append(bytes, element.mac.bytes.data(), field);
        }
    }
    bytes.size = size_of(key);
    return bytes;
}

/// Adds one to the key as a number; false on overflow.
bool increment(NftKeyBytes& key) {
    for (auto i = key.size; i-- > 0;)
        if (++key.bytes[i] != 0)
            return true;
    return false;
}

bool decrement(NftKeyBytes& key) {
    for (auto i = key.size; i-- > 0;)
        if (key.bytes[i]-- != 0)
            return true;
    return false;
}

/// The prefix from one address to another; nothing if the range is no prefix.
std::optional<Prefix> prefix_of(unsigned char const* first, unsigned char const* last, NftField field) {
    auto const family = field == NftField::destination4 ? Family::ipv4 : Family::ipv6;
    std::array<std::uint8_t, 16> low{};
    std::array<std::uint8_t, 16> high{};
    std::memcpy(low.data(), first, size_of(field));
    std::memcpy(high.data(), last, size_of(field));
    IpAddress const from(family, low);
    IpAddress const to(family, high);
    auto const prefix = Prefix::common(Prefix::host(from), Prefix::host(to));
    return prefix.address == from && prefix.last() == to ? std::optional(prefix) : std::nullopt;
}

std::uint16_t port_in(unsigned char const* wire) { return static_cast<std::uint16_t>(wire[0] << 8U | wire[1]); }

bool read_element(NftKeyBytes const& first, NftKeyBytes const& last, NftKey const& key, NftElement& element) {
    std::size_t at = 0;
    for (auto const field : key) {
        auto const* low = first.bytes.data() + at;
        auto const* high = last.bytes.data() + at;
        if (field == NftField::destination4 || field == NftField::destination6) {
            auto const prefix = prefix_of(low, high, field);
            if (!prefix)
                return false;
            element.destination = *prefix;
        } else if (field == NftField::port) {
            element.ports = {Port{port_in(low)}, Port{port_in(high)}};
            if (element.ports.last < element.ports.first)
                return false;
        } else if (std::memcmp(low, high, size_of(field)) != 0) {
            return false; // lbc cannot represent a range of this field
        } else if (field == NftField::protocol) {
            element.protocol = *low;
        } else if (field == NftField::source_mac) {
            std::memcpy(element.mac.bytes.data(), low, size_of(field));
        }
        at += (size_of(field) + boundary - 1) / boundary * boundary;
    }
    return true;
}

bool is_simple_interval(NftSet const& set) { return set.has_intervals && set.key.size() == 1; }

/// Joins the ends of intervals to their beginnings: each interval extends up to the next element.
std::optional<std::vector<NftElement>> simple_intervals(std::vector<NftRawElement> raw, NftSet const& set) {
    std::ranges::sort(raw, {}, [](NftRawElement const& one) { return std::pair(one.key, !one.ends_interval); });
    std::vector<NftElement> elements;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i].ends_interval)
            continue;
        NftKeyBytes last;
        last.size = raw[i].key.size;
        std::fill_n(last.bytes.begin(), last.size, static_cast<unsigned char>(0xff));
        if (i + 1 < raw.size()) {
            last = raw[i + 1].key;
            if (!decrement(last))
                return std::nullopt;
        }
        NftElement element;
        if (last < raw[i].key || !read_element(raw[i].key, last, set.key, element))
            return std::nullopt;
        element.mark = raw[i].mark.value_or(Fwmark{});
        elements.push_back(element);
    }
    return elements;
}

} // namespace

void append_raw(std::vector<NftRawElement>& to, NftElement const& element, NftSet const& set) {
    auto const mark = set.is_map ? std::optional(element.mark) : std::nullopt;
    auto const first = bytes_of(element, set.key, End::first);
    auto last = bytes_of(element, set.key, End::last);
    if (!set.has_intervals)
        return to.push_back({first, {}, false, mark});
    if (!is_simple_interval(set))
        return to.push_back({first, last, false, mark});
    to.push_back({first, {}, false, mark});
    if (increment(last))
        to.push_back({last, {}, true, {}});
}

std::optional<std::vector<NftElement>> elements_of(std::vector<NftRawElement> raw, NftSet const& set) {
    auto const size = size_of(set.key);
    for (auto const& one : raw)
        if (one.key.size != size || (one.key_end && (one.key_end->size != size || !set.has_intervals)) ||
            (!one.ends_interval && one.mark.has_value() != set.is_map))
            return std::nullopt;
    if (is_simple_interval(set))
        return simple_intervals(std::move(raw), set);
    std::vector<NftElement> elements;
    elements.reserve(raw.size());
    for (auto const& one : raw) {
        auto& element = elements.emplace_back();
        if (one.ends_interval || !read_element(one.key, one.key_end.value_or(one.key), set.key, element))
            return std::nullopt;
        element.mark = one.mark.value_or(Fwmark{});
    }
    return elements;
}

} // namespace lbc
