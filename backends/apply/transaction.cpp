#include "backends/apply/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace lbc {
namespace {

/// Rolls the steps back after `error` has stopped them.
ApplyFailure undo(std::span<std::unique_ptr<Step> const> steps, SystemError error) {
    bool const touched = std::ranges::any_of(steps, [](auto const& step) { return step->touched(); });
    ApplyFailure failure{
        touched ? ApplyFailure::Outcome::rolled_back : ApplyFailure::Outcome::refused, std::move(error), {}};
    if (auto undone = roll_back_steps(steps); !undone) {
        failure.outcome = ApplyFailure::Outcome::partly_applied;
        failure.error.message += fmt::format("; {}", undone.error().error.message);
        failure.left = std::move(undone.error().left);
    }
    return failure;
}

} // namespace

std::expected<void, ApplyFailure> run_steps(std::span<std::unique_ptr<Step> const> steps) {
    std::size_t begun = 0;
    auto const stop = [&](SystemError error) { return std::unexpected(undo(steps.first(begun), std::move(error))); };
    try {
        for (auto const& step : steps) {
            ++begun;
            if (auto done = step->apply(); !done)
                return stop(std::move(done.error()));
        }
        for (auto const& step : steps)
            if (auto same = step->check(); !same)
                return stop(std::move(same.error()));
    } catch (std::exception const& error) {
        // Memory may run out between two steps; a half-made change is worse than the attempt to roll it back.
        return stop({SystemError::Kind::failed, 0, error.what(), {}});
    }
    return {};
}

std::expected<void, ApplyFailure> roll_back_steps(std::span<std::unique_ptr<Step> const> steps) {
    for (auto i = steps.size(); i > 0; --i) {
        auto& step = *steps[i - 1];
        if (!step.touched())
            continue;
        auto const restored = step.roll_back();
        if (restored)
            continue;
        ApplyFailure failure{ApplyFailure::Outcome::partly_applied, restored.error(), {}};
        failure.error.message = fmt::format("taking the change back failed too: {}", restored.error().message);
        for (auto const& left : steps.first(i))
            if (left->touched())
                left->list_residue(failure.left);
        return std::unexpected(std::move(failure));
    }
    return {};
}

} // namespace lbc
