// The rights of a process (capabilities(7)), given up for good as soon as it is known what it is to do. A right that it
// does not have is not missed here: the call that needs it says so.
#pragma once

#include <cstdint>

namespace lbc {

enum class Rights : std::uint8_t {
    read_files,    // any file; nothing of it or of its programs ever has more: PR_SET_NO_NEW_PRIVS
    write_files,   // likewise, and to write any, for its owner
    connect,       // to a socket of another user's
    read_kernel,   // the rules and IPVS; its programs may load modules
    read_box,      // these, and to find keepalived
    change_kernel, // these, and keepalived's file; to find keepalived, too
};

/// Keeps these, and lets programs that this process runs as root have no others than `Rights` has for them. To be
/// called once: the right to bound those of programs is not kept.
void keep_rights(Rights rights);

} // namespace lbc
