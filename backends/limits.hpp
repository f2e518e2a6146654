// What an output cannot express. Nothing that a site says is dropped in silence: what has no place in the output that
// was asked for becomes a warning at the first statement of its kind.
#pragma once

#include "compiler/site.hpp"
#include "grammar/diagnostic.hpp"

namespace lbc {

enum class Output : std::uint8_t {
    marks,      // restore text, `apply --only marks`: nothing but mangle rules
    ipvsadm,    // virtual services and real servers
    sh,         // both
    apply,      // both
    keepalived, // VRRP, and with `ipvs keepalived` the virtual services
    realserver, // what the real servers' machines must have
    networkd,   // the same, as far as systemd-networkd makes it
};

/// Warns of what of the site has no place in an output that is meant to hold it. Marks alone are meant to hold no
/// virtual service, so of them only the guard is spoken of; the real servers' side is meant to hold forwarding alone.
void report_limits(Site const& site, Output output, Diagnostics& diagnostics);

} // namespace lbc
