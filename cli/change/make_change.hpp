// Makes a change of the director completely, whatever signals come meanwhile.
#pragma once

#include "backends/apply/apply.hpp"
#include "cli/change/pending_change.hpp"

#include <csignal>
#include <expected>

namespace lbc {

/// Blocks signals that would end or stop this process. They are delivered when this object is destroyed.
class SignalsHeld {
public:
    SignalsHeld();
    SignalsHeld(SignalsHeld const&) = delete;
    SignalsHeld& operator=(SignalsHeld const&) = delete;
    ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

    /// Waits for a signal that would end this process; 0: none came in time.
    [[nodiscard]] int wait(std::chrono::milliseconds time) const;

private:
    sigset_t before_{};
    sigset_t ends_{};
};

/// Makes the change once `ready` has agreed.
[[nodiscard]] std::expected<void, ApplyFailure> make_change(Transaction& transaction, Ready const& ready);

/// The local time when `time` has passed, with its zone: "23:15:10 CET"; from a day on, with the date.
[[nodiscard]] std::string clock_in(std::chrono::milliseconds time);

} // namespace lbc
