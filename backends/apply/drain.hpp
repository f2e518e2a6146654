// `apply --drain`: real servers and services that leave stay at weight 0 until they have no connection or the time is
// over.
#pragma once

#include "backends/apply/apply.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <vector>

namespace lbc {

/// Connections to a real server that leaves.
struct LeavingReal {
    ServiceKey key;
    Destination real;
    std::size_t connections = 0;
};

/// What a drain has come to: the wait begins; a signal ends it early; it is over, and what is left is cut.
enum class DrainStage : std::uint8_t { waits, stopped, cut };

struct Draining {
    Kernel& kernel;
    std::chrono::milliseconds limit;     // of the wait for connections
    std::chrono::milliseconds lock_wait; // of each of the two changes
    std::function<void(DrainStage, std::vector<LeavingReal> const&)> tell;
};

/// Makes the change, waits, and removes what has left. A signal during the wait ends this process, as without the wait;
/// if the process handles it, there are no changes to tell of.
[[nodiscard]] std::expected<std::optional<Changes>, ApplyFailure> drain(Draining const& run, Wanted wanted);

} // namespace lbc
