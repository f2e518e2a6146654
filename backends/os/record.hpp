// lbc's record of what it has made on this box.
#pragma once

#include "backends/os/sysctl.hpp"
#include "compiler/base/types.hpp"

#include <set>

namespace lbc {

/// What lbc has made on this box and cannot tell from foreign state by reading the kernel. It lasts as long as the
/// kernel's own state, until the box reboots.
struct Record {
    std::set<Fwmark> marks; // of virtual services
    Sysctls sysctls;        // each with its value from before lbc set it
    bool sync = false;      // the sync daemons are own
    bool reload = false;    // keepalived's file was written, and keepalived has yet to read it

    friend bool operator==(Record const&, Record const&) = default;
};

} // namespace lbc
