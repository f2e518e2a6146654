// Converts rules to xtables entries (struct ipt_entry, struct ip6t_entry) and back. An entry that `append_rule` wrote,
// and one that iptables makes from the text of the same rule, read back equal to the rule. What `Matches` cannot
// represent becomes text that makes the rule unequal to every own rule. Entries are read as hostile bytes.
#pragma once

#include "backends/iptables/xt_match.hpp"

namespace lbc::xt {

/// Why the rule cannot be written; empty if it can.
[[nodiscard]] std::string refuse_rule(Rule const& rule, Family family);

/// Appends the entry of a rule that `refuse_rule` accepts, in libiptc's form: the target's name is a verdict, or the
/// chain that a jump leads to. The buffer's size must be a multiple of the alignment.
void append_rule(Rule const& rule, Family family, Bytes& out);

/// Reads an entry. `chain` is the chain that a jump or goto leads to; libiptc finds its name by its offset.
[[nodiscard]] Rule read_rule(ByteView entry, Family family, std::string_view chain,
                             Comments comments = Comments::differ);

/// A copy of an entry, with counters, that libiptc accepts: the name of a verdict or jump target is `target`. Empty if
/// the entry is malformed or the name too long.
[[nodiscard]] Bytes portable_entry(ByteView entry, Family family, std::string_view target);

/// The match and target extensions that the rule needs.
void collect_extensions(Rule const& rule, std::set<Extension>& into);

} // namespace lbc::xt
