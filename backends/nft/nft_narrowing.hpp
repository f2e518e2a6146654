// Combines the successive matches of a rule into one Matches. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"

namespace lbc {

/// Makes a rule also require a value; false if no packet has both that value and those that the rule requires already.
/// A combination that one Matches cannot represent is added as unknown.
[[nodiscard]] bool narrow(Matches& when, NftKey const& key, NftElement const& element);
[[nodiscard]] bool narrow_interface(Matches& when, InterfacePattern const& pattern);
[[nodiscard]] bool narrow_mark(Matches& when, std::uint32_t mark, std::uint32_t mask);

/// Whether a rule can also exclude one value of a field.
[[nodiscard]] bool can_negate(Matches const& way, NftField field);
/// Excludes the value. Requires `can_negate`.
void negate(Matches& way, NftField field, NftElement const& value);

/// The rule in the form that proofs take: only protocols that have ports have known ports.
[[nodiscard]] Matches finished(Matches when);

} // namespace lbc
