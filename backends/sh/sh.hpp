// A site as one POSIX shell script that needs no lbc where it runs: `sh rules.sh [apply|show|remove] [DIRECTOR]`, with
// iptables of either kind, ipvsadm and awk. The script finds its director, reads all it is to change and tries both
// rule sets before its first change, changes each mangle table in one restore, and may be run again at any time.
// What comes from the site stands in quoted here-documents and single quotes: no shell ever interprets it.
#pragma once

#include "compiler/layout/layout.hpp"

#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// What every script begins with, and no other text.
inline constexpr std::string_view script_heading =
    "#!/bin/sh\n# The load balancing of an LVS site, for each of its directors. Made by lbc";

/// The script for the directors of `plans`, in their order. Equal input gives equal bytes.
[[nodiscard]] std::string sh_script(Site const& site, std::span<Plan const> plans, Layout layout);

/// Text as one word of a shell command, in single quotes. Example: it's -> 'it'\''s'
[[nodiscard]] std::string shell_quote(std::string_view text);

} // namespace lbc
