// `apply --confirm-within`: a process that outlives the terminal makes the change, waits for `confirm` or `rollback` on
// a socket under /run/lbc, and rolls the change back if neither comes in time. It ends after its answer.
#pragma once

#include "backends/apply/apply.hpp"
#include "cli/program/environment.hpp"

#include <chrono>
#include <expected>
#include <functional>

namespace lbc {

/// Called under the lock, before the first write; an error refuses the change.
using Ready = std::function<std::expected<void, SystemError>()>;

/// Makes a change: the transaction to wait for, or the status to end with.
using MakeChange = std::function<std::expected<Transaction, Status>(Ready const&)>;

/// Runs `make_change` in a separate process, which goes on after this call. Returns the status of the change as soon as
/// it is made. Until the first write, that process ends with its caller. After that, a signal that would end it makes
/// it roll the change back; if it does not get the lock for that, it tries again. Its working folder is `/`, and its
/// environment has only what the programs that it runs need.
[[nodiscard]] Status supervise(MakeChange const& make_change, std::chrono::milliseconds limit,
                               Environment const& environment);

} // namespace lbc
