// A change of the director is made whole, whatever signals come meanwhile.
#pragma once

#include "backends/apply.hpp"
#include "cli/supervisor.hpp"

#include <csignal>
#include <expected>

namespace lbc {

/// Holds back signals that would end this process: they come when it is gone.
class SignalsHeld {
public:
    SignalsHeld();
    SignalsHeld(SignalsHeld const&) = delete;
    SignalsHeld& operator=(SignalsHeld const&) = delete;
    ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

    /// Waits for one of them that asks this process to end; 0: none came in time.
    [[nodiscard]] int wait(std::chrono::milliseconds time) const;

private:
    sigset_t before_{};
    sigset_t ends_{};
};

/// Makes the change once `ready` has agreed.
[[nodiscard]] std::expected<void, ApplyFailure> make_change(Transaction& transaction, Ready const& ready);

/// The clock's time that is so far away, with its zone: "23:15:10 CET", from a day on with the date.
[[nodiscard]] std::string clock_in(std::chrono::milliseconds time);

} // namespace lbc
