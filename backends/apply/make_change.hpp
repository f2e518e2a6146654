// Makes a change of the director completely, whatever signals come meanwhile.
#pragma once

#include "backends/apply/apply.hpp"

#include <chrono>
#include <csignal>
#include <expected>
#include <functional>

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

/// Called under the lock, before the first write; an error refuses the change.
using Ready = std::function<std::expected<void, SystemError>()>;

/// Makes the change once `ready` has agreed.
[[nodiscard]] std::expected<void, ApplyFailure> make_change(Transaction& transaction, Ready const& ready);

} // namespace lbc
