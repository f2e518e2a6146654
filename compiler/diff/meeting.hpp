// Two directors, each with the old site or the new one, and what the second does with the packets that the first
// forwards to it. Private to this folder.
#pragma once

#include "compiler/diff/rollout.hpp"
#include "compiler/walk.hpp"

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
    std::array<std::unique_ptr<RuleIndex>, families.size()> rules;
};

/// A director as both sites have it.
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

/// What goes wrong of a kind and a service, with one packet that shows it.
using Findings = std::map<std::pair<Hazard::Kind, std::string>, std::string>;

/// 0 is the old site, 1 the new one. `directors` are the addresses of all of them.
[[nodiscard]] Findings meet_boxes(Box const& from, std::size_t from_version, Box const& to, std::size_t to_version,
                                  std::set<IpAddress> const& directors);

} // namespace lbc
