#include "backends/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace lbc {
namespace {

using Outcome = ApplyFailure::Outcome;

/// `error` is what stopped the steps.
ApplyFailure undo(std::span<std::unique_ptr<Step> const> steps, SystemError error) {
    bool const touched = std::ranges::any_of(steps, [](auto const& step) { return step->touched(); });
    ApplyFailure failure{touched ? Outcome::taken_back : Outcome::refused, std::move(error), {}};
    if (auto undone = take_back_steps(steps); !undone) {
        failure.outcome = Outcome::left_behind;
        failure.error.message += fmt::format("; {}", undone.error().error.message);
        failure.left = std::move(undone.error().left);
    }
    return failure;
}

} // namespace

std::expected<void, ApplyFailure> run_steps(std::span<std::unique_ptr<Step> const> steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (auto done = steps[i]->act(); !done) {
            return std::unexpected(undo(steps.first(i + 1), std::move(done.error())));
        }
    }
    for (auto const& step : steps) {
        if (auto same = step->check(); !same) {
            return std::unexpected(undo(steps, std::move(same.error())));
        }
    }
    return {};
}

std::expected<void, ApplyFailure> take_back_steps(std::span<std::unique_ptr<Step> const> steps) {
    ApplyFailure failure{Outcome::left_behind, {}, {}};
    for (auto const& step : steps | std::views::reverse) {
        if (!step->touched()) {
            continue;
        }
        if (auto restored = step->take_back(); !restored) {
            failure.error.message += fmt::format("{}taking the change back failed too: {}",
                                                 failure.error.message.empty() ? "" : "; ", restored.error().message);
            step->list_left(failure.left);
        }
    }
    if (failure.error.message.empty()) {
        return {};
    }
    return std::unexpected(std::move(failure));
}

} // namespace lbc
