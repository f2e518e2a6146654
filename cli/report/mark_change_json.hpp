// Packets that are treated alike, as JSON: for `diff` and `verify`.
#pragma once

#include "compiler/analysis/compare.hpp"

#include <nlohmann/json_fwd.hpp>

namespace lbc {

[[nodiscard]] nlohmann::ordered_json json_of(Outcome const& outcome);
[[nodiscard]] nlohmann::ordered_json json_of(MarkChange const& change);
[[nodiscard]] nlohmann::ordered_json json_of(Packet const& packet);

} // namespace lbc
