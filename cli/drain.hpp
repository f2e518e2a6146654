// `apply --drain`: real servers and services that leave stand at weight 0 until they have no connection or the time is
// over. What is waited for, and what is cut at the end, is said by the names of the file.
#pragma once

#include "backends/apply.hpp"
#include "cli/apply_output.hpp"
#include "cli/run.hpp"

#include <chrono>

namespace lbc {

struct Draining {
    Kernel& kernel;
    std::chrono::milliseconds limit;     // of the wait for connections
    std::chrono::milliseconds lock_wait; // of each of the two changes
    ApplyOutput const& output;
    Sources const* sources;
    Environment const& environment;
};

/// Makes the change, waits, and removes what has left. A signal that ends the wait is this process's end, as without
/// it; what is left is said first.
[[nodiscard]] Status drain(Draining const& run, Wanted wanted);

} // namespace lbc
