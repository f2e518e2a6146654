#include "compiler/analysis/director_state.hpp"

#include <algorithm>

namespace lbc {

std::uint64_t NamedService::all_connections() const {
    std::uint64_t sum = 0;
    for (auto const& [real, count] : connections)
        sum += count;
    return sum;
}

NamedService const* DirectorState::find(ServiceKey key) const {
    auto const found = std::ranges::lower_bound(services, key, {}, &NamedService::key);
    return found != services.end() && found->key() == key ? &*found : nullptr;
}

DirectorState const& empty_state() {
    static DirectorState const nothing;
    return nothing;
}

DirectorState const* find(DirectorStates const& states, std::string_view name) {
    auto const found = std::ranges::find(states, name, &DirectorState::name);
    return found == states.end() ? nullptr : &*found;
}

DirectorState state_of(Site const& site, DirectorId director, Layout layout) {
    auto const& source = site[director];
    auto plan = make_plan(site, director);
    DirectorState state;
    state.name = source.name.value;
    for (auto const& mac : source.macs)
        state.macs.push_back(mac.value);
    for (auto const& address : source.addresses)
        state.addresses.push_back(address.value);
    for (auto const& interface : source.interfaces)
        state.interfaces.push_back(interface.value);
    for (auto const family : families)
        state.marks[static_cast<std::size_t>(family)] = layout(site, plan.marks, family);
    for (auto& service : plan.services) {
        auto name = site.services[service.service].name.value;
        state.services.push_back({std::move(name), std::move(service)});
    }
    std::ranges::sort(state.services, {}, &NamedService::key);
    state.backup_only = plan.backup_only;
    return state;
}

DirectorStates states_of(Site const& site, Layout layout) {
    DirectorStates states;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        states.push_back(state_of(site, {i}, layout));
    return states;
}

} // namespace lbc
