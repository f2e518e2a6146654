// The canonical layout of a site file: text in, text out. It keeps words, their order, blocks and all comments, each
// above or behind what it stands above or behind. Formatting a canonical text changes nothing.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

/// The widest line with a block on it; a block that would make it longer is broken up.
inline constexpr std::size_t max_one_line_width = 100;

/// Returns the canonical form of a text. The error states why there is none: the text has syntax errors, it is too
/// large, or the result would mean something else. The last is a bug; every result is checked for it before it is
/// returned.
///
///     director lb1 {mac 08-00-27-9E-EF-A0 # eth0        director lb1 {
///     interface eth0                                        mac       08:00:27:9e:ef:a0    # eth0
///     }                                                     interface eth0
///                                                       }
[[nodiscard]] std::expected<std::string, std::string> format(std::string_view text);

} // namespace lbc
