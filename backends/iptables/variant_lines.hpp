// The lines of a text of iptables-nft-save. It prints names of interfaces, sets and chains as they are, quotes and line
// breaks among them, and so is believed only as far as the kernel's own rules bear it out.
#pragma once

#include "backends/nft/nft_rule_dump.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

struct SavedLine {
    std::string_view text;  // a rule with all of its comment, which may have line breaks
    bool is_broken = false; // a comment that does not end
};

/// Takes the first line off the text.
[[nodiscard]] SavedLine take_saved_line(std::string_view& saved);

/// "LBC" of "-A PREROUTING -i eth0 -j LBC", where a rule's last words say so.
[[nodiscard]] std::string_view last_jump(std::string_view rule);

/// Why what the text says about lbc's chains, and about rules that lead to them, is not to be believed; nothing where
/// it is. `rules` are those of the same mangle table.
[[nodiscard]] std::optional<std::string> distrust(std::string_view saved, std::vector<NftDumpedRule> const& rules);

} // namespace lbc
