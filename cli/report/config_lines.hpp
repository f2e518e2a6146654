// The changes of keepalived's file, line by line, each under its block, and the commands that directors run as root
// from then on. Secrets are not shown.
#pragma once

#include "backends/apply/keepalived_step.hpp"
#include "compiler/diff/diff.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lbc {

/// A line that is removed or added.
struct ConfigLine {
    char sign = '+';   // or '-'
    std::string block; // "virtual_server fwmark 3 > real_server 10.0.0.1"; empty: outside of all
    std::string text;  // without the blanks before it
    std::size_t depth = 0;
};

/// In the order of the new file, each removed line before its replacement.
[[nodiscard]] std::vector<ConfigLine> config_lines(KeepalivedChange const& change);

/// The same as text: `@@ BLOCK @@` above the first line of each block, then `- …` and `+ …`, indented.
[[nodiscard]] std::string write_lines(KeepalivedChange const& change, bool colour);
/// `runs as root: …`, with the command before and after on lines of their own below it, all indented by `indent`.
[[nodiscard]] std::string write_lines(RunChange const& change, std::string_view indent, bool colour);

/// As in docs/schema/apply.schema.json and docs/schema/diff.schema.json.
[[nodiscard]] nlohmann::ordered_json json_of(KeepalivedChange const& change);
[[nodiscard]] nlohmann::ordered_json json_of(RunChange const& change);

} // namespace lbc
