// The marks that connections (nf_conntrack) may have, as far as rules set them. A rule that restores a packet's mark
// from its connection can give it only one of these.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace lbc {

/// None: a connection may have any mark.
using ConnectionMarks = std::optional<std::set<std::uint32_t>>;

/// What the rules of all chains, in any order, may make of the mark 0 of a new connection. A packet may carry each mark
/// that a rule sets or matches (of a mask, the least and the greatest). Rules that restore no mark give none, since
/// nobody asks. What sets marks apart from rules is left out: conntrack(8), conntrackd, tc, BPF and netfilter queues.
[[nodiscard]] ConnectionMarks connection_marks(std::vector<Ruleset const*> const& tables);

} // namespace lbc
