// What a kernel is told, as lines and as JSON: rules that come and go, and writes to IPVS. For `apply` and `diff`.
#pragma once

#include "backends/iptables/mangle_step.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "backends/nft/nft_step.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Of two lists of lines, which ones both have in one order.
struct KeptLines {
    std::vector<bool> before;
    std::vector<bool> after;
};
[[nodiscard]] KeptLines kept_lines(std::vector<std::string> const& before, std::vector<std::string> const& after);

/// Lines of a ruleset that leave and that come, each in its order; what both have in one order is in neither.
struct LineDifference {
    std::vector<std::string> removed;
    std::vector<std::string> added;
};
[[nodiscard]] LineDifference line_difference(FamilyChange const& change);

[[nodiscard]] LineDifference line_difference(NftChange const& change);

/// Rules, and entries of the sets that they ask.
[[nodiscard]] std::size_t rule_count(Ruleset const& rules);
[[nodiscard]] std::size_t rule_count(NftState const& table);

/// "mangle", "iptables-nft mangle" or "inet lbc"; literals.
[[nodiscard]] std::string_view table_of(FamilyChange const& change);
[[nodiscard]] std::string_view table_of(NftChange const& change);

/// "IPv4 mangle table", "table inet lbc of nftables"
[[nodiscard]] std::string title_of(FamilyChange const& change);
[[nodiscard]] std::string title_of(NftChange const& change);

/// `- -A LBC …` and `+ -A LBC …`, indented, each line ended.
[[nodiscard]] std::string write_lines(FamilyChange const& change, bool colour);
[[nodiscard]] std::string write_lines(NftChange const& change, bool colour);
[[nodiscard]] std::string write_line(IpvsChange const& change, bool colour);

[[nodiscard]] nlohmann::ordered_json json_of(FamilyChange const& change);
[[nodiscard]] nlohmann::ordered_json json_of(NftChange const& change);
[[nodiscard]] nlohmann::ordered_json json_of(IpvsChange const& change);

} // namespace lbc
