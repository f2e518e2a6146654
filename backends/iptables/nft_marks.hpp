// Rules of nftables that may give a packet its mark. lbc does not walk them; that there are some is enough to know that
// the tables of iptables alone prove nothing.
#pragma once

#include "backends/system_error.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Of a text as `nft list ruleset` prints it, the chains with a rule that sets a mark, or that gives it to a target of
/// iptables that may: "table ip filter, chain input". In their order, each once.
[[nodiscard]] std::vector<std::string> chains_that_mark(std::string_view ruleset);

/// The same of this network namespace. Where it has tables and nft is not there to list them, one entry says that.
[[nodiscard]] std::expected<std::vector<std::string>, SystemError> read_nft_marks();

} // namespace lbc
