#include "compiler/mark_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace lbc {
namespace {

std::string_view own_prefix(Family family) { return family == Family::ipv4 ? "LBC-4-" : "LBC-6-"; }

/// FNV-1a, 64 bits.
class Hash {
public:
    template <typename Number>
    void add(Number number) {
        for (std::size_t i = 0; i < sizeof number; ++i)
            value_ = (value_ ^ static_cast<std::uint8_t>(number >> (8 * i))) * 1099511628211U;
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 14695981039346656037U;
};

} // namespace

std::span<SetEntry const> MarkSet::find(IpAddress const& address, std::uint8_t protocol) const {
    auto const key = [](SetEntry const& entry) { return std::tie(entry.address, entry.protocol); };
    auto const [first, last] = std::ranges::equal_range(entries, std::tie(address, protocol), {}, key);
    return {first, last};
}

MarkSet make_mark_set(std::vector<SetEntry> entries) {
    std::ranges::sort(entries);
    Hash hash;
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

bool is_own_set(std::string_view name, Family family) { return name.starts_with(own_prefix(family)); }

} // namespace lbc
