// The canonical layout of a site file: text in, text out. Words, their order and the blocks stay as they are, and so
// does every comment, above or behind what it stands above or behind. Formatting a canonical text changes nothing.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace lbc {

/// The widest line that a block written on one line may make; a longer one is broken up.
inline constexpr std::size_t max_one_line_width = 100;

/// The canonical form of a text. The error says why there is none: the text has syntax errors or is too large, or,
/// which is a bug, the result would not say the same; that is tried with every text before it is given out.
///
///     director lb1 {mac 08-00-27-9E-EF-A0 # eth0        director lb1 {
///     interface eth0                                        mac       08:00:27:9e:ef:a0    # eth0
///     }                                                     interface eth0
///                                                       }
[[nodiscard]] std::expected<std::string, std::string> format(std::string_view text);

} // namespace lbc
