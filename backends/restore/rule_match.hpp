// A match of a rule, from `-m NAME` to its last option, as words. What Matches has a field for goes there; all else
// goes word by word to its `unknown`.
#pragma once

#include "backends/restore/rule_words.hpp"
#include "compiler/ruleset.hpp"

namespace lbc {

/// Adds words to those that no field holds.
void add_unknown(Matches& into, std::string_view text);

/// Reads `-m NAME` with its options, words behind the rule's `-p`. Example: -m multiport ! --dports 80,443
void read_match_words(Words match, Matches& into);

/// The options of the rule's protocol, which iptables takes without its `-m`. Example: --dport 80, behind -p tcp.
/// `protocol` is the word behind `-p`.
void read_protocol_options(Word const& protocol, Words options, Matches& into);

/// Whether the match itself changes the packet's mark (`--restore-skmark` in xt_socket.c).
[[nodiscard]] bool changes_mark(Words match);

} // namespace lbc
