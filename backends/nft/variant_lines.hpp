// Splits the output of iptables-nft-save into lines, and checks it against the kernel's rules. The program prints names
// of interfaces, sets and chains unescaped, with quotes and line breaks, so lbc trusts its output only as far as the
// kernel confirms it.
#pragma once

#include "backends/nft/nft_rule_dump.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct SavedLine {
    std::string_view text;  // a rule with its whole comment, which may have line breaks
    bool is_broken = false; // its comment does not end
};

/// Removes the first line from the text and returns it.
[[nodiscard]] SavedLine take_saved_line(std::string_view& saved);

/// "LBC" for "-A PREROUTING -i eth0 -j LBC"; empty if the rule does not end in a jump or goto.
[[nodiscard]] std::string_view last_jump(std::string_view rule);

/// Why the text cannot be trusted about own chains and about rules that lead to them; none if it can. `rules` are the
/// kernel's rules of the same mangle table.
[[nodiscard]] std::optional<std::string> distrust(std::string_view saved, std::vector<NftDumpedRule> const& rules);

} // namespace lbc
