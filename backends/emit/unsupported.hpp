// Reports what an output cannot represent. Nothing of a site is dropped silently: each kind of statement that the
// chosen output cannot represent becomes a warning at the first statement of its kind.
#pragma once

#include "compiler/site/site.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

enum class Output : std::uint8_t {
    marks,      // restore text, `apply --only marks`: nothing but mangle rules
    ipvsadm,    // virtual services and real servers
    sh,         // both
    apply,      // both
    keepalived, // VRRP, and with `ipvs keepalived` the virtual services
    realserver, // what the real servers' machines must have
    networkd,   // the same, as far as systemd-networkd can set it up
};

/// Warns of statements that an output cannot represent, though it is meant to. Marks alone are not meant to hold
/// virtual services, so only the guard is reported for them. The real servers' side is meant to hold only forwarding.
void report_unsupported(Site const& site, Output output, Diagnostics& diagnostics);

} // namespace lbc
