// Rules as xtables entries (struct ipt_entry, struct ip6t_entry) and back. An entry that `append_rule` wrote, and one
// that iptables makes of the same rule's text, read back equal to the rule; whatever `Matches` has no field for
// becomes text that makes the rule unequal to every rule of lbc's. Entries are read as hostile bytes.
#pragma once

#include "backends/iptables/xt_match.hpp"

namespace lbc::xt {

/// Why the rule cannot be written; empty when it can.
[[nodiscard]] std::string refuse_rule(Rule const& rule, Family family);

/// Appends the entry of a rule that `refuse_rule` has nothing against, as libiptc takes one: a verdict, or the chain
/// that a jump leads to, stands as the target's name. The buffer's size must be a multiple of the alignment.
void append_rule(Rule const& rule, Family family, Bytes& out);

/// Reads an entry. `chain` is the name of the chain that a jump or goto leads to, which libiptc finds by its offset.
[[nodiscard]] Rule read_rule(ByteView entry, Family family, std::string_view chain,
                             Comments comments = Comments::differ);

/// An entry as it can be given back to libiptc: a copy with counters, where a verdict or jump has `target` as its
/// target's name. Empty where the entry is malformed or the name too long.
[[nodiscard]] Bytes portable_entry(ByteView entry, Family family, std::string_view target);

/// The match and target extensions that the rule needs.
void collect_extensions(Rule const& rule, std::set<Extension>& into);

} // namespace lbc::xt
