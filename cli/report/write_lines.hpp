// The change report of `apply` and `diff`: added and removed rules, and writes to IPVS, as text and as JSON.
#pragma once

#include "backends/apply/mangle_step.hpp"
#include "backends/apply/nft_step.hpp"
#include "backends/ipvs/ipvs.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The lines that two lists share in the same order.
struct KeptLines {
    std::vector<bool> before;
    std::vector<bool> after;
};
[[nodiscard]] KeptLines kept_lines(std::vector<std::string> const& before, std::vector<std::string> const& after);

/// The removed and the added lines of a rule set, each in its order. A line that both sides have in the same order is
/// in neither.
struct LineDifference {
    std::vector<std::string> removed;
    std::vector<std::string> added;
};
[[nodiscard]] LineDifference line_difference(FamilyChange const& change);

[[nodiscard]] LineDifference line_difference(NftChange const& change);

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
