// Describes packets in text, for people.
#pragma once

#include "compiler/analysis/compare.hpp"

#include <string>
#include <vector>

namespace lbc {

/// The first few items, and the number of the others.
[[nodiscard]] std::string list_of(std::vector<std::string> const& items);

/// The destinations of the packets: "192.0.2.1:80,443/tcp", "192.0.2.0/24 (every protocol)".
[[nodiscard]] std::vector<std::string> targets_of(MarkChange const& change);

/// Where they come from: "on eth0 from any MAC but 02:00:00:00:00:02", "sent here".
[[nodiscard]] std::string origin_of(MarkChange const& change);

/// A packet at a director: "192.0.2.1:80/tcp on eth0 from 02:00:00:00:00:01", "192.0.2.1:80/tcp sent here".
[[nodiscard]] std::string title_of(Packet const& packet, Direction direction);

/// The part of a packet that a rule does not match; empty if it matches. The mark is ignored, since it changes on the
/// way.
[[nodiscard]] std::string why_not(Rule const& rule, Packet const& packet);

/// The witness of a change: "192.0.2.1:80/tcp on eth0 from 02:00:00:00:00:01".
[[nodiscard]] std::string title_of_witness(MarkChange const& change);

} // namespace lbc
