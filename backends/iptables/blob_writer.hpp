// A mangle table written anew as one run of entries, and given to the kernel: what libiptc does with lists, for the
// change that lbc makes. Only for the sources of this folder.
#pragma once

#include "backends/iptables/table_blob.hpp"

namespace lbc {

/// A table that is ready for the kernel, in the place of the one that it was made of.
template <typename Tables>
struct NewTable {
    xt::Bytes replace;                   // a Tables::Replace with the entries behind it
    std::vector<std::uint32_t> counters; // by entry: the number of the old one whose counters it keeps, or `none`
    bool differs = false;                // from the old one, in more than counters

    static constexpr std::uint32_t none = ~std::uint32_t{0};

    /// Gives it to the kernel, and old counters back to the entries that keep them. errno where it is refused, EAGAIN
    /// where the table has another number of entries since; 0 else.
    [[nodiscard]] int commit();
};

/// `now` with `wanted` in the place of all that is lbc's: chains that are as wanted stay with their counters, hooks
/// that are the next wanted ones of their chain stay where they are, new ones go behind the rules of others. Nothing
/// where a rule of others leads to a chain that has to go. Each rule of `wanted` must be one that can be written.
template <typename Tables>
[[nodiscard]] std::optional<NewTable<Tables>> rewrite(TableBlob<Tables> const& now, Ruleset const& wanted);

extern template struct NewTable<Ipv4Tables>;
extern template struct NewTable<Ipv6Tables>;
extern template std::optional<NewTable<Ipv4Tables>> rewrite(TableBlob<Ipv4Tables> const& now, Ruleset const& wanted);
extern template std::optional<NewTable<Ipv6Tables>> rewrite(TableBlob<Ipv6Tables> const& now, Ruleset const& wanted);

} // namespace lbc
