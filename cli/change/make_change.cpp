#include "cli/change/make_change.hpp"

#include <array>
#include <cerrno>
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

std::string clock_in(std::chrono::milliseconds time) {
    auto const then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + time);
    std::tm parts{};
    ::localtime_r(&then, &parts);
    std::array<char, 64> text{};
    auto const* format = time < std::chrono::hours(24) ? "%H:%M:%S %Z" : "%Y-%m-%d %H:%M:%S %Z";
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

} // namespace lbc
