// The state of directors on one side of a comparison: as a site wants it, or as a kernel holds it. It has only what a
// packet meets: rules and virtual services.
#pragma once

#include "compiler/plan/layout_function.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

struct NamedService {
    std::string name; // the site's name; "fwmark 0x3" for a kernel's service that the site lacks
    VirtualService service;
    std::map<std::pair<IpAddress, Port>, std::uint64_t> connections{}; // of each real server; only of a kernel

    [[nodiscard]] ServiceKey key() const { return service.key(); }
    [[nodiscard]] std::uint64_t all_connections() const;
};

struct DirectorState {
    std::string name;
    std::vector<MacAddress> macs;
    std::vector<IpAddress> addresses;
    std::vector<InterfacePattern> interfaces; // where clients enter; none: any
    std::array<Ruleset, families.size()> marks{Ruleset{.family = Family::ipv4, .chains = {}, .entry_jumps = {}},
                                               Ruleset{.family = Family::ipv6, .chains = {}, .entry_jumps = {}}};
    std::vector<NamedService> services; // no two with one key
    bool backup_only = false;

    [[nodiscard]] NamedService const* find(ServiceKey key) const;
};

/// The state of a director without rules and services.
[[nodiscard]] DirectorState const& empty_state();

/// Directors in the order of the source.
using DirectorStates = std::vector<DirectorState>;

[[nodiscard]] DirectorState const* find(DirectorStates const& states, std::string_view name);

/// The state that a site wants a director to have, with its rules in the given layout.
[[nodiscard]] DirectorState state_of(Site const& site, DirectorId director, Layout layout);
[[nodiscard]] DirectorStates states_of(Site const& site, Layout layout);

} // namespace lbc
