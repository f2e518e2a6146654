// What a change of a site asks for beside the directors' rules and services: of the real servers, of the firewall, and
// of what others have on the box.
#pragma once

#include "backends/keepalived/keepalived_step.hpp"
#include "compiler/diff/diff.hpp"

#include <string>
#include <vector>

namespace lbc {

/// What is to be done before the directors change.
struct Beforehand {
    enum class Kind : std::uint8_t {
        real_server, // they need a VIP or a tunnel's end that they did not need before
        firewall,    // what directors must let through between them is something else
    };

    Kind kind{};
    std::vector<std::string> hosts; // real servers or directors, in the order of the source
    std::string text;               // "have 192.0.2.11 on `lo` (…)"
};

[[nodiscard]] std::string_view to_string(Beforehand::Kind kind);
/// "10.0.0.7: have 192.0.2.11 on `lo` (…)"
[[nodiscard]] std::string sentence(Beforehand const& beforehand);

[[nodiscard]] std::vector<Beforehand> beforehand(Site const& before, Site const& after);

/// Services of a keepalived.conf, whoever wrote it, that the one in its place lacks: keepalived takes them off.
void add_leaving_services(KeepalivedChange const& change, std::string const& director, std::vector<Change>& out);

} // namespace lbc
