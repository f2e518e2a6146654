// The packet that `lbc trace` follows, as its options describe it.
#pragma once

#include "cli/program/environment.hpp"
#include "compiler/analysis/evaluate.hpp"
#include "compiler/site/site.hpp"

#include <expected>
#include <string>

namespace lbc {

/// The options as they were given; empty: not given.
struct TracedPacket {
    std::string to; // `ADDRESS:PORT`, `[ADDRESS]:PORT`, or an address alone for a protocol without ports
    std::string protocol = "tcp";
    std::string from;     // "client", or a director
    std::string from_mac; // or "none"
    std::string interface;
};

/// A packet, and who sends it.
struct Sender {
    Packet packet;
    Direction direction = Direction::entering;
    std::string name;
    bool is_director = false; // another one, which has forwarded it
};

/// The error is for people.
[[nodiscard]] std::expected<Sender, std::string> read_sender(TracedPacket const& options, Site const& site,
                                                             DirectorId director, Host const& host);

/// The interface on which a packet for an address enters: the service's, else the director's, else eth0.
[[nodiscard]] std::string usual_interface(Site const& site, DirectorId director, Packet const& packet);

} // namespace lbc
