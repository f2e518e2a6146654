// What a site says in its own words, as a comment of an output.
#pragma once

#include <string>
#include <string_view>

namespace lbc {

/// Text as the rest of a `#` line: control characters, line breaks among them, become spaces.
[[nodiscard]] std::string comment_text(std::string_view text);

} // namespace lbc
