// Parts of a rule that come one after the other, put together in one Matches. Private to this folder.
#pragma once

#include "backends/nft/nft_rule.hpp"

namespace lbc {

/// Lets a rule ask for a value too; false where no packet has that and what the rule asks for already. What both say
/// and one Matches cannot is added as unknown.
[[nodiscard]] bool narrow(Matches& when, NftKey const& key, NftElement const& element);
[[nodiscard]] bool narrow_interface(Matches& when, InterfacePattern const& pattern);
[[nodiscard]] bool narrow_mark(Matches& when, std::uint32_t mark, std::uint32_t mask);

/// Whether a rule has room to ask for any other value than one of a field's.
[[nodiscard]] bool can_negate(Matches const& way, NftField field);
/// Makes it do so. Needs the room.
void negate(Matches& way, NftField field, NftElement const& value);

/// The rule as proofs take it: ports are known of protocols that have them.
[[nodiscard]] Matches finished(Matches when);

} // namespace lbc
