// Packets in words, for people.
#pragma once

#include "compiler/proof/comparison.hpp"

#include <string>
#include <vector>

namespace lbc {

/// The first few, and how many more there are.
[[nodiscard]] std::string list_of(std::vector<std::string> const& items);

/// What the packets are for: "192.0.2.1:80,443/tcp", "192.0.2.0/24 (every protocol)".
[[nodiscard]] std::vector<std::string> targets_of(MarkChange const& change);

/// Where they come from: "on eth0 from any MAC but 02:00:00:00:00:02", "sent here".
[[nodiscard]] std::string origin_of(MarkChange const& change);

} // namespace lbc
