// `apply --confirm-within`: a process that outlives the terminal makes the change, waits for `confirm` or `rollback`
// on a socket under /run/lbc, and takes the change back when neither comes in time. It ends with its answer.
#pragma once

#include "backends/apply.hpp"
#include "cli/run.hpp"

#include <chrono>
#include <expected>
#include <functional>

namespace lbc {

/// Asked under the lock, before the first write; an error refuses the change.
using Ready = std::function<std::expected<void, SystemError>()>;

/// Makes a change: the transaction to wait for, or the status to end with.
using MakeChange = std::function<std::expected<Transaction, Status>(Ready const&)>;

/// Runs `make_change` in a process of its own, which is the one that goes on; gives the status of the change as soon as
/// it is made. Until the first write that process ends with its caller. From then on, told to end, it takes the change
/// back; if it gets no lock for that, it tries again. Its working folder is `/`, and its environment what the programs
/// that it runs need.
[[nodiscard]] Status supervise(MakeChange const& make_change, std::chrono::milliseconds limit,
                               Environment const& environment);

} // namespace lbc
