// Quotes text for a POSIX shell.
#pragma once

#include <string>
#include <string_view>

namespace lbc {

/// Text as one word of a shell command, in single quotes. Example: it's -> 'it'\''s'
[[nodiscard]] std::string shell_quote(std::string_view text);

} // namespace lbc
