// Texts of iptables-save and ip6tables-save, of either kind, input for iptables-restore, and the tables in a script of
// `compile --emit sh`, as Netfilter. A whole text is read or refused with the line that makes no sense; of a rule, what
// lbc has no words for is kept as unknown. Time grows with the text, whatever it holds.
#pragma once

#include "compiler/ruleset.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct TextProblem {
    std::size_t line = 0; // from 1; 0: none of them
    std::string message;

    friend bool operator==(TextProblem const&, TextProblem const&) = default;
};

/// The tables of a text, in its order; rules without a `*table` line are the mangle table's. Chains that are built in
/// stand among the others, where the text declares them or has rules for them; a policy DROP is a last rule.
/// Lines of `ipset save` may stand before and between the tables, and lines behind `#ipset ` anywhere (ipset_text.hpp):
/// the sets of lbc's among them become the mangle table's.
/// Lines are cut where iptables-restore cuts them, behind 10,239 bytes: what is left of one is a line of its own.
/// Refused: a NUL byte, a table or chain given twice, a rule of a chain that is not declared, any line but `*TABLE`,
/// `:CHAIN`, `-A` and COMMIT, a section without COMMIT, an address of the other family, and rules of its kernel that
/// iptables-nft-save says the text does not have. More than 64 MiB, 1,000,000 rules, or 100,000 chains are refused too.
[[nodiscard]] std::expected<Netfilter, TextProblem> read_tables(std::string_view text, Family family);

struct SavedTables {
    Netfilter rules;
    std::vector<TextProblem> notes; // what of the text is passed over, or in doubt
};

/// The same of what people have saved. Between tables, lines of other commands' output are passed over, but for
/// commands that change rules. A table that stands twice with other rules is read so that what is proved of it holds
/// whether the first is replaced or kept: its rules may hold or not.
[[nodiscard]] std::expected<SavedTables, TextProblem> read_saved_tables(std::string_view text, Family family);

/// The family that a text is of, by the first line that tells: the name of the program that made it or is to load it,
/// an address; else the first match or protocol that only one family has. Nothing where nothing tells.
[[nodiscard]] std::optional<Family> family_of_tables(std::string_view text);

/// Whether a text is a script of `compile --emit sh`.
[[nodiscard]] bool is_rules_script(std::string_view text);

/// The text in such a script of one director's rules of one family, for `read_tables`; empty where it has none. An
/// error where the director is not in the script.
[[nodiscard]] std::expected<std::string, TextProblem> tables_in_script(std::string_view script,
                                                                       std::string_view director, Family family);

} // namespace lbc
