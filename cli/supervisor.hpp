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

/// Whether an apply in this network namespace waits for an answer.
[[nodiscard]] bool is_apply_pending();

/// Says "confirm" or "rollback" to the apply that waits; its status and what it says. The error: none waits.
struct Answer {
    Status status = Status::done;
    std::string text;
};
[[nodiscard]] std::expected<Answer, std::string> answer_pending(std::string_view word);

/// Runs `make_change` in a process of its own, which is the one that goes on; gives the status of the change as soon as
/// it is made. `make_change` gives the transaction to wait for, or the status to end with.
[[nodiscard]] Status supervise(std::function<std::expected<Transaction, Status>()> const& make_change,
                               std::chrono::milliseconds limit, Environment const& environment);

} // namespace lbc
