// One rule of restore text as a Rule. It may be worded as iptables-save does it or as people do: long options, options
// of the protocol without `-m`, the target before the matches. Words that make no sense to iptables either are no error
// here: such a rule may hold or not, and nobody knows what it does.
#pragma once

#include "backends/restore/rule_target.hpp"
#include "backends/restore/rule_words.hpp"
#include "compiler/ruleset.hpp"

#include <expected>
#include <optional>
#include <string>

namespace lbc {

/// The words behind `-A CHAIN`. Nothing where the rule is of the other family alone (`-4`, `-6`). An error, without a
/// place, where it has an address of the other family.
[[nodiscard]] std::expected<std::optional<Rule>, std::string> read_rule_words(Words words, Family family,
                                                                              TableNames const& names);

/// What in the words of a rule, behind `-A CHAIN`, is of one family.
struct FamilySigns {
    std::optional<Family> address;  // certain
    std::optional<Family> protocol; // likely: a protocol or match of ICMP, which the other family may ask for too
};
[[nodiscard]] FamilySigns family_signs(Words words);

} // namespace lbc
