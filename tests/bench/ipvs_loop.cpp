// The least that loading virtual services can take: lbc's netlink messages and nothing else, built and sent in a loop.
// ipvs_loop SERVICES REALS: services by mark from 0x1000 on, each with real servers from 10.0.0.1 on.
#include "backends/ipvs/ipvs_kernel.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
    using namespace lbc;
    std::uint32_t const services = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 0;
    int const reals = argc > 2 ? std::atoi(argv[2]) : 0;
    std::vector<IpvsChange> changes;
    for (std::uint32_t i = 0; i < services; ++i) {
        ServiceKey const key{Fwmark{0x1000 + i}, Family::ipv4};
        changes.push_back({IpvsChange::Action::add_service, key, {.scheduler = "wlc", .netmask = 32}, {}, {}});
        for (int real = 1; real <= reals; ++real) {
            IpvsChange change{IpvsChange::Action::add_real, key, {}, {}, {}};
            change.real.address = *IpAddress::parse(fmt::format("10.0.0.{}", real));
            changes.push_back(change);
        }
    }
    auto const ipvs = open_ipvs_netlink();
    return ipvs && (*ipvs)->write(changes) ? 0 : 1;
}
