// The targets of rules, as the kernel's extensions store them: verdicts, MARK and SET, which lbc writes, and those of
// others that lbc knows what they do to a packet's mark. A rule has a set by its number, which this kernel is asked
// for. Targets are read as hostile bytes.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/ruleset.hpp"

namespace lbc::xt {

inline constexpr std::uint8_t mark_target_revision = 2;
inline constexpr std::uint8_t set_target_revision = 3; // the first that maps

/// Appends a target that `refuse_rule` has nothing against.
void append_target(Target const& target, Bytes& out);

/// Reads a target. `chain` is the name of the chain that a jump or goto leads to; `is_goto` is the rule's flag.
[[nodiscard]] Target read_target(ByteView target, std::string_view chain, bool is_goto);

} // namespace lbc::xt
