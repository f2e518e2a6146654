// Reads tables as Netfilter from texts of iptables-save and ip6tables-save, of either kind, from input for
// iptables-restore, and from scripts of `compile --emit sh`. A whole text is read, or refused with the line that makes
// no sense; parts of a rule that lbc cannot represent are kept as unknown. Time grows with the text, whatever it holds.
#pragma once

#include "compiler/rules/ruleset.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct TextProblem {
    std::size_t line = 0; // from 1; 0: no single line
    std::string message;

    friend bool operator==(TextProblem const&, TextProblem const&) = default;
};

/// The tables of a text, in its order; rules without a `*table` line belong to the mangle table. Built-in chains stand
/// among the others, if the text declares them or has rules for them. A policy DROP becomes a last rule.
/// Lines of `ipset save` may stand before and between the tables, and lines behind `#ipset ` anywhere (ipset_text.hpp):
/// own sets among them become sets of the mangle table.
/// Lines are cut like in iptables-restore, behind 10,239 bytes: the rest is a line of its own.
/// Refused: a NUL byte, a table or chain given twice, a rule of a chain that is not declared, any line but `*TABLE`,
/// `:CHAIN`, `-A` and COMMIT, a section without COMMIT, an address of the other family, and a text that lacks rules of
/// its kernel, as iptables-nft-save states. More than 64 MiB, 1,000,000 rules, or 100,000 chains are refused too.
[[nodiscard]] std::expected<Netfilter, TextProblem> read_tables(std::string_view text, Family family);

struct SavedTables {
    Netfilter rules;
    std::vector<TextProblem> notes; // parts of the text that are passed over, or in doubt
};

/// The same for a text that people saved. Between tables, output of other commands is passed over, but not commands
/// that change rules. If a table occurs twice with different rules, those of the first may hold or not: a proof then
/// holds whether the first is replaced or kept.
[[nodiscard]] std::expected<SavedTables, TextProblem> read_saved_tables(std::string_view text, Family family);

/// The family of a text. The first line that tells decides: the name of the program that made it or loads it, or an
/// address; else the first match or protocol of only one family. Nothing if nothing tells.
[[nodiscard]] std::optional<Family> family_of_tables(std::string_view text);

/// Whether a text is a script of `compile --emit sh`.
[[nodiscard]] bool is_rules_script(std::string_view text);

/// One director's rules of one family in such a script, as text for `read_tables`; empty if it has none. An error if
/// the script lacks the director, or is cut off.
[[nodiscard]] std::expected<std::string, TextProblem> tables_in_script(std::string_view script,
                                                                       std::string_view director, Family family);

} // namespace lbc
