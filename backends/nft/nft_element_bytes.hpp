// Converts elements to and from the kernel's form (nf_tables_api.c): keys as bytes, in network order, each field of a
// concatenation aligned to four bytes; marks in host order. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace lbc {

struct NftKeyBytes {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = 0;

    [[nodiscard]] std::span<unsigned char const> view() const { return std::span(bytes).first(size); }
    friend auto operator<=>(NftKeyBytes const&, NftKeyBytes const&) = default;
};

/// One element of a message. An interval of one field takes two elements: its first value, and the first value behind
/// it, which ends it. An interval of several fields takes one element with both ends.
struct NftRawElement {
    NftKeyBytes key;
    std::optional<NftKeyBytes> key_end; // of an interval of several fields
    bool ends_interval = false;         // NFT_SET_ELEM_INTERVAL_END
    std::optional<Fwmark> mark;
};

void append_raw(std::vector<NftRawElement>& to, NftElement const& element, NftSet const& set);

/// The elements that the raw elements of a set encode, in any order. Nothing if one makes no sense.
[[nodiscard]] std::optional<std::vector<NftElement>> elements_of(std::vector<NftRawElement> raw, NftSet const& set);

} // namespace lbc
