// Writes JSON as text that any terminal can show: invisible characters (grammar/utf8.hpp) are escaped, so that none is
// lost.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace lbc {

/// `indent`: blanks per level, -1 for one line. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string json_text(nlohmann::ordered_json const& value, int indent);

} // namespace lbc
