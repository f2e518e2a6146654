// What directors have, on one side of a comparison: as a site wants it, or as a kernel holds it. It keeps just what a
// packet meets: rules and virtual services.
#pragma once

#include "compiler/layout/layout.hpp"
#include "compiler/plan.hpp"
#include "compiler/ruleset.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// What IPVS finds a service by.
struct ServiceKey {
    Fwmark mark;
    Family family{};
    friend auto operator<=>(ServiceKey const&, ServiceKey const&) = default;
};

struct NamedService {
    std::string name; // of the site's service; of a kernel's that no site names, "fwmark 0x3"
    VirtualService service;
    std::map<std::pair<IpAddress, Port>, std::uint64_t> connections{}; // of each real server; only a kernel knows

    [[nodiscard]] ServiceKey key() const { return {service.mark, service.family}; }
    [[nodiscard]] std::uint64_t all_connections() const;
};

struct DirectorState {
    std::string name;
    std::vector<MacAddress> macs;
    std::vector<IpAddress> addresses;
    std::vector<InterfacePattern> interfaces; // where clients enter; none: any
    std::array<Ruleset, families.size()> marks{Ruleset{.family = Family::ipv4, .chains = {}, .hooks = {}},
                                               Ruleset{.family = Family::ipv6, .chains = {}, .hooks = {}}};
    std::vector<NamedService> services; // no two with one key
    bool backup_only = false;

    [[nodiscard]] NamedService const* find(ServiceKey key) const;
};

/// A director that has nothing.
[[nodiscard]] DirectorState const& empty_state();

/// Directors in the order of the source.
using DirectorStates = std::vector<DirectorState>;

[[nodiscard]] DirectorState const* find(DirectorStates const& states, std::string_view name);

/// What a site wants a director to have.
[[nodiscard]] DirectorState state_of(Site const& site, DirectorId director, Layout layout);
[[nodiscard]] DirectorStates states_of(Site const& site, Layout layout);

} // namespace lbc
