// The first lines of the scripts of `compile --emit sh`, by which a reader of tables knows them.
#pragma once

#include <string_view>

namespace lbc {

/// The beginning of every script for iptables, and of no other text.
inline constexpr std::string_view script_heading =
    "#!/bin/sh\n# The load balancing of an LVS site, for each of its directors. Made by lbc";
inline constexpr std::string_view script_heading_of_nft =
    "#!/bin/sh\n# The load balancing of an LVS site by nftables, for each director. Made by lbc";

} // namespace lbc
