// Messages for programs: `--message-format json`. `docs/schema/message.schema.json` describes a line.
#pragma once

#include "grammar/diagnostic.hpp"

#include <string>

namespace lbc {

/// One message with all its places as one JSON object on one line, ended by a line break. Lines and columns count from
/// 1, as `Position` does; the end is the place behind the last character. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string message_json(Sources const& sources, Gathered const& gathered);

} // namespace lbc
