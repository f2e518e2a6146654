// What `apply --drain` prints of the wait, and of connections that are cut, with the names of the file.
#pragma once

#include "backends/apply/drain.hpp"
#include "cli/report/apply_output.hpp"

#include <chrono>
#include <vector>

namespace lbc {

void print_drain(DrainStage stage, std::vector<LeavingReal> const& left, std::chrono::milliseconds limit,
                 ApplyOutput const& output, Environment const& environment);

} // namespace lbc
