#include "compiler/rules/mark_set.hpp"

#include "compiler/base/fnv1a.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace lbc {
namespace {

std::string_view own_prefix(Family family) { return family == Family::ipv4 ? "LBC-4-" : "LBC-6-"; }

} // namespace

std::span<SetEntry const> MarkSet::find(IpAddress const& address, std::uint8_t protocol) const {
    auto const key = [](SetEntry const& entry) { return std::tie(entry.address, entry.protocol); };
    auto const [first, last] = std::ranges::equal_range(entries, std::tie(address, protocol), {}, key);
    return {first, last};
}

MarkSet make_mark_set(std::vector<SetEntry> entries) {
    std::ranges::sort(entries);
    Fnv1a<std::uint64_t> hash;
    for (auto const& entry : entries) {
        for (auto const byte : entry.address.bytes())
            hash.add(byte);
        hash.add(entry.protocol);
        hash.add(entry.port.value);
        hash.add(entry.mark.value);
        hash.add(entry.mask);
    }
    auto name = fmt::format("{}{:016x}", own_prefix(entries.front().address.family()), hash.value());
    return {std::move(name), std::move(entries)};
}

std::string spare_set_name(std::string_view name) { return fmt::format("{}-NEW", name); }

bool is_own_set(std::string_view name, Family family) { return name.starts_with(own_prefix(family)); }

} // namespace lbc
