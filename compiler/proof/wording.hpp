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

/// A packet at a director: "192.0.2.1:80/tcp on eth0 from 02:00:00:00:00:01", "192.0.2.1:80/tcp sent here".
[[nodiscard]] std::string title_of(Packet const& packet, Direction direction);

/// What of a packet a rule does not match; empty where it does, but for the mark, which changes on the way.
[[nodiscard]] std::string why_not(Rule const& rule, Packet const& packet);

/// One packet of them: "192.0.2.1:80/tcp on eth0 from 02:00:00:00:00:01".
[[nodiscard]] std::string title_of_witness(MarkChange const& change);

} // namespace lbc
