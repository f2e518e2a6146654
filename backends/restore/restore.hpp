// Writes rule sets as input for `iptables-restore --noflush` and `ip6tables-restore --noflush`. The text creates or
// empties each own chain, fills it, and adds the jumps into it; everything else in the table stays. Equal rule sets
// give equal bytes.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <string>
#include <string_view>

namespace lbc {

struct RestoreStyle {
    std::string_view director; // its name, for the header
};

/// A whole input, from a header comment to COMMIT. An empty rule set gives an input that states so and changes nothing.
[[nodiscard]] std::string restore_text(Ruleset const& ruleset, RestoreStyle style);

/// The part between `*mangle` and COMMIT: the lines of sets (ipset_text.hpp), a `:CHAIN - [0:0]` line for each chain,
/// each chain's rules with a `#` line wherever the comment changes, and the jumps from the built-in chains. A blank
/// line precedes each chain's rules and the jumps.
[[nodiscard]] std::string restore_body(Ruleset const& ruleset);

} // namespace lbc
