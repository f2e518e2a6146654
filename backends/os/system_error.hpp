// The error of a call that the system refused: what lbc tried, on what, and the kernel's answer.
#pragma once

#include "grammar/source.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace lbc {

/// "Permission denied" for EACCES.
[[nodiscard]] inline std::string errno_text(int code) { return std::generic_category().message(code); }

struct SystemError {
    /// What the caller can do about it; the message has it as text.
    enum class Kind : std::uint8_t {
        failed,      // anything else
        permission,  // a right is missing
        unsupported, // the kernel lacks a table, match, target, or IPVS
        locked,      // another program held the lock for too long
        changed,     // another program changed what was read, before it was written
    };

    Kind kind = Kind::failed;
    int code = 0;        // errno
    std::string message; // "cannot read the IPv4 mangle table: Operation not permitted; lbc needs CAP_NET_ADMIN"
    std::optional<Span> place{}; // of the statement that asked for it
};

} // namespace lbc
