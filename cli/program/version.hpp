// What `lbc --version -v` prints of this machine, for a report of a fault: libraries, kernel and programs.
#pragma once

#include <string>
#include <string_view>

namespace lbc {

/// "0.1.0"
[[nodiscard]] std::string_view version();

/// Lines of names and versions. Reads files of /proc and /sys, runs nothing and loads no module.
[[nodiscard]] std::string version_details();

} // namespace lbc
