// Steps that are all done or all taken back, whatever they touch: tables, virtual services, daemons.
#pragma once

#include "backends/system_error.hpp"

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lbc {

/// One change of the system that can be undone. It keeps what was there before it.
class Step {
public:
    Step() = default;
    Step(Step const&) = delete;
    Step& operator=(Step const&) = delete;
    virtual ~Step() = default;

    /// Makes the change. On an error, `touched` tells whether a part of it was made.
    [[nodiscard]] virtual std::expected<void, SystemError> act() = 0;
    [[nodiscard]] virtual bool touched() const = 0;

    /// Whether the system has what `act` wrote, once all steps are done.
    [[nodiscard]] virtual std::expected<void, SystemError> check() = 0;

    /// Brings back what was there before `act`, however far that came.
    [[nodiscard]] virtual std::expected<void, SystemError> take_back() = 0;

    /// Adds a line for each thing that is there and should not be, when `take_back` has failed.
    virtual void list_left(std::vector<std::string>& out) = 0;
};

using Steps = std::vector<std::unique_ptr<Step>>;

struct ApplyFailure {
    /// The exit statuses 3, 4 and 5 of the command.
    enum class Outcome : std::uint8_t {
        refused,     // nothing was touched
        taken_back,  // everything is as it was
        left_behind, // `left` is there and should not be
    };

    Outcome outcome = Outcome::refused;
    SystemError error;             // the first thing that went wrong
    std::vector<std::string> left; // "IPv4 mangle table: chain LBC, 3 rules"
};

/// Does the steps in order and checks each; at the first failure, takes back what was done.
[[nodiscard]] std::expected<void, ApplyFailure> run_steps(std::span<std::unique_ptr<Step> const> steps);

/// Undoes the steps that touched something, the last first, up to one that cannot be undone: what is there then is what
/// was there between two steps, where every mark leads to a service. An error: what is left of that step and of those
/// before it.
[[nodiscard]] std::expected<void, ApplyFailure> take_back_steps(std::span<std::unique_ptr<Step> const> steps);

} // namespace lbc
