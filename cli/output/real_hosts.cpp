#include "cli/output/real_hosts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lbc {
namespace {

std::string names_of(std::vector<RealServerHost> const& hosts) {
    std::vector<std::string_view> names;
    for (auto const& host : hosts)
        names.push_back(host.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

} // namespace

bool is_for_real_servers(std::string_view kind) {
    return kind == "realserver" || kind == "networkd" || kind == "ifupdown";
}

std::expected<std::vector<RealServerHost>, std::string> choose_real_hosts(Site const& site,
                                                                          std::vector<std::string> const& names) {
    auto hosts = real_server_hosts(site);
    if (hosts.empty())
        return std::unexpected("no real server of this site is reached by `dr` or `tun`");
    if (names.empty())
        return hosts;
    std::vector<RealServerHost> chosen;
    for (auto const& name : names) {
        auto const found = std::ranges::find(hosts, name, &RealServerHost::name);
        if (found == hosts.end())
            return std::unexpected(
                fmt::format("`{}` is no real server by `dr` or `tun` of this site; it has: {}", name, names_of(hosts)));
        if (std::ranges::find(chosen, name, &RealServerHost::name) == chosen.end())
            chosen.push_back(*found);
    }
    return chosen;
}

std::expected<RealServerHost, std::string> one_machine(std::vector<RealServerHost> const& hosts,
                                                       std::vector<std::string> const& names, std::string_view kind) {
    if (names.empty() && hosts.size() > 1)
        return std::unexpected(
            fmt::format("`--emit {}` is for one machine; name it with --real: {}", kind, names_of(hosts)));
    return merge(hosts);
}

} // namespace lbc
