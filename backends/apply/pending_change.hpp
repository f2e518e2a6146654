// `apply --confirm-within`: a process that outlives the terminal makes the change, waits for `confirm` or `rollback` on
// a socket under /run/lbc, and rolls the change back if neither comes in time. It ends after its answer.
#pragma once

#include "backends/apply/confirm_socket.hpp"
#include "backends/apply/make_change.hpp"

#include <chrono>
#include <expected>
#include <functional>

namespace lbc {

/// Makes a change: the transaction to wait for, or the status to end with.
using MakeChange = std::function<std::expected<Transaction, Status>(Ready const&)>;

/// Runs `make_change` in a separate process, which goes on after this call. Returns the status of the change as soon as
/// it is made. Until the first write, that process ends with its caller. After that, a signal that would end it makes
/// it roll the change back; if it does not get the lock for that, it tries again. Its working folder is `/`, and its
/// environment has only what the programs that it runs need.
/// The text is of a failure that `make_change` did not print. `flush` writes what this process has printed so far.
[[nodiscard]] Answer supervise(MakeChange const& make_change, std::chrono::milliseconds limit,
                               std::function<void()> const& flush);

} // namespace lbc
