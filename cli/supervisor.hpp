// `apply --confirm-within`: a process that outlives the terminal makes the change, waits for `confirm` or `rollback`
// on a socket under /run/lbc, and takes the change back when neither comes in time. It ends with its answer.
#pragma once

#include "backends/apply.hpp"
#include "cli/run.hpp"

#include <chrono>
#include <expected>
#include <functional>
#include <string>

namespace lbc {

/// An error where an apply in this network namespace waits for an answer: nothing else may change the director then,
/// since that would be undone with it. To be asked under the lock, and before the first write.
[[nodiscard]] std::expected<void, SystemError> refuse_if_pending();

/// Says "confirm" or "rollback" to the apply that waits; its status and what it says. The error: none waits.
struct Answer {
    Status status = Status::done;
    std::string text;
};
[[nodiscard]] std::expected<Answer, std::string> answer_pending(std::string_view word);

/// Asked under the lock, before the first write; an error refuses the change.
using Ready = std::function<std::expected<void, SystemError>()>;

/// Makes a change: the transaction to wait for, or the status to end with.
using MakeChange = std::function<std::expected<Transaction, Status>(Ready const&)>;

/// Runs `make_change` in a process of its own, which is the one that goes on; gives the status of the change as soon as
/// it is made. Told to end, that process takes the change back; where it gets no lock for that, it tries again.
[[nodiscard]] Status supervise(MakeChange const& make_change, std::chrono::milliseconds limit,
                               Environment const& environment);

} // namespace lbc
