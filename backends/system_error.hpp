// A call that the system refused: what was tried, of whom, and what the kernel said.
#pragma once

#include "grammar/source.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace lbc {

struct SystemError {
    /// What the caller can make of it; the message says it in words.
    enum class Kind : std::uint8_t {
        failed,      // anything else
        permission,  // a right is missing
        unsupported, // the kernel lacks a table, match, target, or IPVS
        locked,      // another program held the lock for too long
        changed,     // what was read was changed by another program before it was written
    };

    Kind kind = Kind::failed;
    int code = 0;        // errno
    std::string message; // "cannot read the IPv4 mangle table: Operation not permitted; lbc needs CAP_NET_ADMIN"
    std::optional<Span> place{}; // of the source that asked for it
};

} // namespace lbc
