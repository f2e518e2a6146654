// `apply --drain`: real servers and services that leave stay at weight 0 until they have no connection or the time is
// over. The messages about the wait and about cut connections use the names of the file.
#pragma once

#include "backends/apply/apply.hpp"
#include "cli/program/environment.hpp"
#include "cli/report/apply_output.hpp"

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

/// Makes the change, waits, and removes what has left. A signal during the wait ends this process, as without the wait;
/// first the remaining connections are printed.
[[nodiscard]] Status drain(Draining const& run, Wanted wanted);

} // namespace lbc
