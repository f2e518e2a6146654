// Writes and reads targets of rules as the kernel's extensions store them: verdicts, MARK and SET, which lbc writes,
// and foreign targets whose effect on a packet's mark lbc knows. A rule stores a set by its index, so SET needs a query
// of this kernel. Targets are read as hostile bytes.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/rules/ruleset.hpp"

namespace lbc::xt {

inline constexpr std::uint8_t mark_target_revision = 2;
inline constexpr std::uint8_t set_target_revision = 3; // the first that maps

/// Appends a target that `refuse_rule` accepts.
void append_target(Target const& target, Bytes& out);

/// The number that the kernel stores where `append_target` writes a name: that of a verdict, or the offset of a chain.
/// None if the target is an extension.
[[nodiscard]] std::optional<int> verdict_of(ByteView target);

/// The name of a verdict below 0, as libiptc uses it; empty for an unknown one.
[[nodiscard]] std::string_view verdict_name(int verdict);

/// The chain that a target leads to, or null.
[[nodiscard]] std::string const* led_to(Target const& target);

/// The verdict of a target that lbc writes as one, RETURN or DROP; none for others.
[[nodiscard]] std::optional<int> own_verdict(Target const& target);

/// Replaces the name of the target at `offset` with a verdict. The target must be in the form that `append_target`
/// writes.
void store_verdict(Bytes& bytes, std::size_t offset, int verdict);

/// Reads a target. `chain` is the name of the chain that a jump or goto leads to; `is_goto` is the flag of the rule.
[[nodiscard]] Target read_target(ByteView target, std::string_view chain, bool is_goto);

} // namespace lbc::xt
