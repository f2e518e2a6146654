// The requirements of a site's change beside the directors' rules and services: on the real servers, on the firewall,
// and on foreign services of the box.
#pragma once

#include "backends/apply/keepalived_step.hpp"
#include "compiler/diff/diff.hpp"

#include <string>
#include <vector>

namespace lbc {

/// A task to do before the directors change.
struct Beforehand {
    enum class Kind : std::uint8_t {
        real_server, // they need a VIP or a tunnel's end that they did not need before
        firewall,    // directors must let other packets through between them
    };

    Kind kind{};
    std::vector<std::string> hosts; // real servers or directors, in the order of the source
    std::string text;               // "have 192.0.2.11 on `lo` (…)"
};

[[nodiscard]] std::string_view to_string(Beforehand::Kind kind);
/// "10.0.0.7: have 192.0.2.11 on `lo` (…)"
[[nodiscard]] std::string sentence(Beforehand const& beforehand);

[[nodiscard]] std::vector<Beforehand> beforehand(Site const& before, Site const& after);

/// Adds the services, own or foreign, of a keepalived.conf that its replacement lacks: keepalived removes them.
void add_leaving_services(KeepalivedChange const& change, std::string const& director, std::vector<Change>& out);

} // namespace lbc
