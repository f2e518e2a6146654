#include "backends/apply/make_change.hpp"

#include <ctime>
#include <utility>

namespace lbc {

SignalsHeld::SignalsHeld() {
    ::sigemptyset(&ends_);
    for (auto const signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        ::sigaddset(&ends_, signal);
    auto held = ends_;
    ::sigaddset(&held, SIGTSTP);
    ::sigprocmask(SIG_BLOCK, &held, &before_);
}

int SignalsHeld::wait(std::chrono::milliseconds time) const {
    auto const seconds = std::chrono::floor<std::chrono::seconds>(time);
    timespec const limit{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
    auto const signal = ::sigtimedwait(&ends_, nullptr, &limit);
    return signal > 0 ? signal : 0;
}

std::expected<void, ApplyFailure> make_change(Transaction& transaction, Ready const& ready) {
    if (auto is_ready = ready(); !is_ready)
        return std::unexpected(ApplyFailure{ApplyFailure::Outcome::refused, std::move(is_ready.error()), {}});
    SignalsHeld const held;
    return transaction.run();
}

} // namespace lbc
