// Reads one rule of restore text as a Rule. It takes the wording of iptables-save and that of people: long options,
// options of the protocol without `-m`, the target before the matches. Words that make no sense to iptables either are
// no error here: such a rule may hold or not, and its effect is unknown.
#pragma once

#include "backends/restore/rule_target.hpp"
#include "backends/restore/rule_words.hpp"
#include "compiler/rules/ruleset.hpp"

#include <expected>
#include <optional>
#include <string>

namespace lbc {

/// Reads the words behind `-A CHAIN`. Nothing if the rule is only for the other family (`-4`, `-6`). An error, without
/// a line number, if it has an address of the other family.
[[nodiscard]] std::expected<std::optional<Rule>, std::string> read_rule_words(Words words, Family family,
                                                                              TableNames const& names);

/// The signs of one family in the words of a rule, behind `-A CHAIN`.
struct FamilySigns {
    std::optional<Family> address;  // certain
    std::optional<Family> protocol; // likely: a protocol or match of ICMP, which the other family may use too
};
[[nodiscard]] FamilySigns family_signs(Words words);

} // namespace lbc
