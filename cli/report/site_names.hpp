// Describes changes of IPVS and of keepalived's file with the names of the site file: "web: real server 10.0.0.7
// added".
#pragma once

#include "backends/apply/keepalived_step.hpp"
#include "backends/ipvs/ipvs.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace lbc {

class SiteNames {
public:
    /// Knows no service; for `remove`.
    SiteNames() = default;
    SiteNames(Site const& site, Plan const& plan);

    /// The service's name, with its family if it has both; empty: the file has no such service.
    [[nodiscard]] std::string service(ServiceKey key) const;
    /// The service's name, else its mark: "fwmark 0x3 (IPv4)".
    [[nodiscard]] std::string title(ServiceKey key) const;
    /// "lb2 (10.0.0.2)" for a director, else the address and port.
    [[nodiscard]] std::string real(Destination const& real) const;
    /// One for each service that is made, with its real servers, and for each other change.
    [[nodiscard]] std::vector<std::string> sentences(std::span<IpvsChange const> changes) const;

private:
    std::map<ServiceKey, std::string> services_;
    std::map<IpAddress, std::string> directors_;
};

/// The added, removed and changed services, real servers and other blocks of keepalived's file, with the names in its
/// comments.
[[nodiscard]] std::vector<std::string> sentences(KeepalivedChange const& change);

} // namespace lbc
