// Rulesets as input for `iptables-restore --noflush` and `ip6tables-restore --noflush`. The text names only what is
// lbc's: it creates or empties each own chain, fills it, and adds the jumps into it; everything else in the table
// stays. Equal rulesets give equal bytes.
#pragma once

#include "compiler/ruleset.hpp"

#include <string>
#include <string_view>

namespace lbc {

struct RestoreStyle {
    std::string_view director; // its name, for the header
};

/// A whole input, from a header comment to COMMIT. An empty ruleset gives an input that says so and changes nothing.
[[nodiscard]] std::string restore_text(Ruleset const& ruleset, RestoreStyle style);

/// What stands in it between `*mangle` and COMMIT: the lines of sets (ipset_text.hpp), a `:CHAIN - [0:0]` line for each
/// chain, each chain's rules with a
/// `#` line wherever the comment changes, and the jumps from the built-in chains; blank lines between these.
[[nodiscard]] std::string restore_body(Ruleset const& ruleset);

} // namespace lbc
