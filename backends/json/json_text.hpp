// JSON as text that any terminal can show: what is not seen (grammar/utf8.hpp) is escaped, so that nothing is lost.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace lbc {

/// `indent`: blanks of a level, -1 for one line. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string json_text(nlohmann::ordered_json const& value, int indent);

} // namespace lbc
