// A transaction: steps that are all applied or all rolled back, whatever they change: tables, virtual services,
// daemons.
#pragma once

#include "backends/os/system_error.hpp"

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lbc {

/// One change of the system that can be rolled back. It keeps the state from before it.
class Step {
public:
    Step() = default;
    Step(Step const&) = delete;
    Step& operator=(Step const&) = delete;
    virtual ~Step() = default;

    /// Makes the change. After an error, `touched` returns whether a part of it was made.
    [[nodiscard]] virtual std::expected<void, SystemError> apply() = 0;
    [[nodiscard]] virtual bool touched() const = 0;

    /// Checks, after all steps were applied, that the system has what `apply` wrote.
    [[nodiscard]] virtual std::expected<void, SystemError> check() = 0;

    /// Restores the state from before `apply`, however far `apply` came.
    [[nodiscard]] virtual std::expected<void, SystemError> roll_back() = 0;

    /// Adds a line for each residue: what is still present after `roll_back` has failed.
    virtual void list_residue(std::vector<std::string>& out) = 0;
};

using Steps = std::vector<std::unique_ptr<Step>>;

struct ApplyFailure {
    /// The exit statuses 3, 4 and 5 of the command.
    enum class Outcome : std::uint8_t {
        refused,        // nothing was changed
        rolled_back,    // everything is as it was
        partly_applied, // `left` is still present
    };

    Outcome outcome = Outcome::refused;
    SystemError error;             // the first thing that went wrong
    std::vector<std::string> left; // "IPv4 mangle table: chain LBC, 3 rules"
};

/// Applies the steps in order, then checks each. At the first failure, rolls back the steps that were applied.
[[nodiscard]] std::expected<void, ApplyFailure> run_steps(std::span<std::unique_ptr<Step> const> steps);

/// Rolls back the steps that touched something, the last first. It stops at one that cannot be rolled back: the system
/// is then in a state between two steps, where every mark leads to a service. The error has the residue of that step
/// and of those before it.
[[nodiscard]] std::expected<void, ApplyFailure> roll_back_steps(std::span<std::unique_ptr<Step> const> steps);

} // namespace lbc
