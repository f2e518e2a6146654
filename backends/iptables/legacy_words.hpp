// The words of iptables-legacy-save for what a rule of others asks, in place of the kernel's bytes. They are for
// people: what lbc does not know of a rule stays unknown, whatever the words are.
#pragma once

#include "compiler/ruleset.hpp"

#include <string_view>

namespace lbc {

/// Takes the words of a text that iptables-legacy-save printed, for each rule that the text has in the same place with
/// the same parts that lbc knows. Of a chain that has another number of rules there, none are taken.
void take_legacy_words(Netfilter& rules, std::string_view saved);

/// The same, of the program, where it is there. `rules` are the kernel's legacy tables.
void ask_for_legacy_words(Netfilter& rules);

} // namespace lbc
