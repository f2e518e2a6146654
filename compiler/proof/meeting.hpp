// Two directors, each with one of two sites, and what the second does with the packets that the first forwards to it:
// deliver them, as it should, or balance them again.
#pragma once

#include "compiler/proof/rule_index.hpp"
#include "compiler/proof/state.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// A director with one of the two sites.
struct Version {
    DirectorState const* state = nullptr;
    std::array<std::shared_ptr<RuleIndex const>, families.size()> rules;
};

/// A director as both sites have it; of one site, both versions are the same.
struct Box {
    std::string name;
    std::array<Version, 2> versions;  // old, new
    std::vector<MacAddress> macs;     // of either site
    std::vector<IpAddress> addresses; // likewise
    bool changes = false;             // it has other rules, services, MACs or addresses than before

    /// On the way, nobody knows which of its MACs it has.
    [[nodiscard]] std::vector<MacAddress> const& macs_in(std::size_t version, std::size_t version_of_other) const {
        return version == version_of_other ? versions[version].state->macs : macs;
    }
};

/// What goes wrong with a packet that `from` has forwarded.
enum class Fault : std::uint8_t {
    balanced_twice, // `to` marks what `from` has balanced
    remembered, // `to` forwards again what its IPVS remembers from an earlier role, and no guard stops it; not asked
                // of what a tunnel delivers, which has no MAC to tell it by
};

struct Finding {
    Packet sent;     // as it comes to `from`
    Packet received; // as it comes to `to`
};

/// One for each kind and service.
using Findings = std::map<std::pair<Fault, std::string>, Finding>;

/// Where what a tunnel delivers may enter: on the tunnel's device, whose name nobody tells.
enum class TunnelEntry : std::uint8_t {
    anywhere, // on any interface that rules tell apart
    unnamed,  // on none that a rule names, which are those where clients enter
};

/// 0 is the old site, 1 the new one. `directors` are the addresses of all of them. `work` is what the boxes' rules
/// count in, too; once it is spent, there is more to find.
[[nodiscard]] Findings meet_boxes(Box const& from, std::size_t from_version, Box const& to, std::size_t to_version,
                                  std::set<IpAddress> const& directors, TunnelEntry tunnels, Work& work);

} // namespace lbc
