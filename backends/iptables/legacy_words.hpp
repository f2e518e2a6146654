// Replaces the bytes of unknown parts of foreign rules with the text that iptables-legacy-save prints for them. The
// text is for people: a part that lbc cannot represent stays unknown, whatever the text is.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <string_view>

namespace lbc {

/// Takes the text of each rule from the output of iptables-legacy-save. A rule gets it if the output has a rule at the
/// same place whose known parts are equal. A chain whose number of rules differs gets none.
void take_legacy_words(Netfilter& rules, std::string_view saved);

/// Runs the program, if it is installed, and takes the text of its output. `rules` are the kernel's legacy tables.
void ask_for_legacy_words(Netfilter& rules);

} // namespace lbc
