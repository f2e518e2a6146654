// Serialises a replacement mangle table as one xt entry blob and gives it to the kernel. It covers the changes that lbc
// makes, without the lists of libiptc. Only for the sources of this folder.
#pragma once

#include "backends/iptables/table_blob.hpp"

namespace lbc {

/// A table that is ready to replace, in the kernel, the one it was made from.
template <typename Tables>
struct NewTable {
    xt::Bytes replace;                   // a Tables::Replace with the entries behind it
    std::vector<std::uint32_t> counters; // by entry: the number of the old entry whose counters it keeps, or `none`
    bool differs = false;                // from the old table, in more than counters

    static constexpr std::uint32_t none = ~std::uint32_t{0};

    /// Gives the table to the kernel, then restores the counters of the entries that keep them. Returns 0 or errno:
    /// EAGAIN if the table now has another number of entries.
    [[nodiscard]] int commit();
};

/// `now` with its own rules replaced by `wanted`. Chains that are as wanted keep their counters, entry jumps that are
/// the next wanted ones of their chain keep their place, new ones are appended after the foreign rules. None if a
/// foreign rule leads to a chain that has to go. Every rule of `wanted` must pass `refuse_rule`.
template <typename Tables>
[[nodiscard]] std::optional<NewTable<Tables>> rewrite(TableBlob<Tables> const& now, Ruleset const& wanted);

extern template struct NewTable<Ipv4Tables>;
extern template struct NewTable<Ipv6Tables>;
extern template std::optional<NewTable<Ipv4Tables>> rewrite(TableBlob<Ipv4Tables> const& now, Ruleset const& wanted);
extern template std::optional<NewTable<Ipv6Tables>> rewrite(TableBlob<Ipv6Tables> const& now, Ruleset const& wanted);

} // namespace lbc
