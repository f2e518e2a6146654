// Generates one POSIX shell script for a site, which needs no lbc where it runs: `sh rules.sh [apply|show|remove]
// [DIRECTOR]`, with iptables of either kind, or nft, ipvsadm and awk. The script finds its director. Before its first
// change, it reads all that it changes and tests the rules. Every packet meets the old rules or the new ones. The
// script may be run again at any time.
// Text from the site stands in quoted here-documents and single quotes: no shell ever interprets it.
#pragma once

#include "compiler/layout/layout.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// The tool with which the script marks packets.
enum class MarkTool : std::uint8_t { iptables, nft };

/// The script for the directors of `plans`, in their order. Equal input gives equal bytes. The layout is that of the
/// rules for iptables.
[[nodiscard]] std::string sh_script(Site const& site, std::span<Plan const> plans, Layout layout,
                                    MarkTool tool = MarkTool::iptables);

} // namespace lbc
