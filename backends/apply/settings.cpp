#include "backends/apply/settings.hpp"

#include <algorithm>

namespace lbc {

std::expected<std::optional<ObservedSetting>, SystemError>
read_setting(HostState& host, Sysctl sysctl, Sysctls const& wanted, Sysctls const& recorded) {
    auto named = wanted.find(sysctl);
    if (named == wanted.end() && (named = recorded.find(sysctl)) == recorded.end())
        return std::nullopt;
    auto const now = host.read_sysctl(sysctl);
    if (!now)
        return std::unexpected(now.error());
    return ObservedSetting{sysctl, *now, named->second};
}

bool are_met(std::vector<SyncDaemon> const& wanted, std::vector<SyncDaemon> const& running) {
    return std::ranges::equal(wanted, running, [](auto const& a, auto const& b) { return a.is_met_by(b); });
}

} // namespace lbc
