// Drops capabilities (capabilities(7)) for good as soon as the command is known. A missing capability is no error here:
// the call that needs it reports it.
#pragma once

#include <cstdint>

namespace lbc {

enum class Rights : std::uint8_t {
    read_files,    // read any file; with PR_SET_NO_NEW_PRIVS, so that its programs never have more
    write_files,   // likewise, and write any file for its owner
    connect,       // connect to a socket of another user
    read_kernel,   // read rules and IPVS; its programs may load modules
    read_box,      // likewise, and find keepalived
    change_kernel, // likewise, and change rules, IPVS and keepalived's file
};

/// Keeps these capabilities. Programs that this process runs as root get only those that `Rights` has for them. Call it
/// once: it does not keep the capability to bound those of programs.
void keep_rights(Rights rights);

} // namespace lbc
