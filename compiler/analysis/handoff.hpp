// Examines the handoff between two directors, each with one of two sites: whether the second director delivers the
// packets that the first forwards to it, as it should, or balances them again.
#pragma once

#include "compiler/analysis/director_state.hpp"
#include "compiler/analysis/rule_index.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// A director with one of the two sites.
struct DirectorVersion {
    DirectorState const* state = nullptr;
    std::array<std::shared_ptr<RuleIndex const>, families.size()> rules;
};

/// A director in both sites. With one site, both versions are the same.
struct DirectorAcrossRollout {
    std::string name;
    std::array<DirectorVersion, 2> versions; // old, new
    std::vector<MacAddress> macs;            // of either site
    std::vector<IpAddress> addresses;        // likewise
    bool changes = false;                    // it has other rules, services, MACs or addresses than before

    /// The MACs that it may send with. If the versions differ, a rollout is under way, and these are the MACs of either
    /// site.
    [[nodiscard]] std::vector<MacAddress> const& macs_in(std::size_t version, std::size_t version_of_other) const {
        return version == version_of_other ? versions[version].state->macs : macs;
    }
};

/// A fault with a packet that `from` has forwarded.
enum class Fault : std::uint8_t {
    balanced_twice, // `to` marks what `from` has balanced
    remembered, // `to` forwards again what its IPVS remembers from an earlier role, and no guard stops it; not checked
                // for packets out of a tunnel, since no MAC identifies them
};

struct Finding {
    Packet sent;     // as it reaches `from`
    Packet received; // as it reaches `to`
};

/// One for each fault and service.
using Findings = std::map<std::pair<Fault, std::string>, Finding>;

/// The interfaces on which packets out of a tunnel may enter. The name of the tunnel's device is unknown.
enum class TunnelEntry : std::uint8_t {
    anywhere, // on any interface that rules tell apart
    unnamed,  // on one that no rule names; rules name those where clients enter
};

/// A version is 0 for the old site, 1 for the new one. `directors` are the addresses of all directors. `work` is shared
/// with the directors' rules; once it is spent, some findings are missing.
[[nodiscard]] Findings find_handoffs(DirectorAcrossRollout const& from, std::size_t from_version,
                                     DirectorAcrossRollout const& to, std::size_t to_version,
                                     std::set<IpAddress> const& directors, TunnelEntry tunnels, Work& work);

} // namespace lbc
