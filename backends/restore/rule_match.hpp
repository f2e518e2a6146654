// Reads a match of a rule, from `-m NAME` to its last option, given as words. A part that Matches can represent goes to
// its field; any other part goes word by word to `unknown`.
#pragma once

#include "backends/restore/rule_words.hpp"
#include "compiler/rules/ruleset.hpp"

namespace lbc {

/// Adds words to `unknown`.
void add_unknown(Matches& into, std::string_view text);

/// Reads `-m NAME` with its options. The rule's `-p` has been read before. Example: -m multiport ! --dports 80,443
void read_match_words(Words match, Matches& into);

/// The options of the rule's protocol, which iptables takes without its `-m`. Example: --dport 80, behind -p tcp.
/// `protocol` is the word behind `-p`.
void read_protocol_options(Word const& protocol, Words options, Matches& into);

/// Whether the match itself changes the packet's mark (`--restore-skmark` in xt_socket.c).
[[nodiscard]] bool changes_mark(Words match);

} // namespace lbc
