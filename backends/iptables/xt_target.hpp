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

/// What the kernel has in the place of a name that `append_target` writes: the number of a verdict, or the offset at
/// which a chain begins. None: the target is an extension.
[[nodiscard]] std::optional<int> verdict_of(ByteView target);

/// The name of a verdict below 0, as libiptc gives and takes it; empty for one that there is not.
[[nodiscard]] std::string_view verdict_name(int verdict);

/// The chain that a target leads to, or null.
[[nodiscard]] std::string const* led_to(Target const& target);

/// The verdict of a target that leads to no chain; none for others.
[[nodiscard]] std::optional<int> own_verdict(Target const& target);

/// Puts a verdict in the place of the name of the target at `offset`, which must be as `append_target` writes one.
void store_verdict(Bytes& bytes, std::size_t offset, int verdict);

/// Reads a target. `chain` is the name of the chain that a jump or goto leads to; `is_goto` is the rule's flag.
[[nodiscard]] Target read_target(ByteView target, std::string_view chain, bool is_goto);

} // namespace lbc::xt
