#include "cli/change/drain.hpp"

#include "backends/apply/ipvs_plan.hpp"
#include "cli/change/confirm_socket.hpp"
#include "cli/change/make_change.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/site_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <ostream>
#include <vector>

namespace lbc {
namespace {

constexpr std::chrono::milliseconds pause{200}; // between two looks

/// Connections to a real server that leaves.
struct Left {
    ServiceKey key;
    Destination real;
    std::size_t connections = 0;
};

std::expected<std::vector<Left>, SystemError> connections_left(Kernel& kernel, std::vector<IpvsService> const& leaving,
                                                               std::vector<IpvsService> const& wanted) {
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    auto const now = (*ipvs)->read(
        [&](ServiceKey key) { return std::ranges::find(leaving, key, &IpvsService::key) != leaving.end(); });
    if (!now)
        return std::unexpected(now.error());
    std::vector<Left> left;
    auto const difference = ipvs_difference(*now, wanted);
    for (auto const& service : *now)
        for (auto const& real : service.reals) {
            bool const leaves = std::ranges::any_of(difference.shrink, [&](IpvsChange const& change) {
                return change.key == service.key &&
                       (change.action == IpvsChange::Action::delete_service || change.real.is_same_server(real.server));
            });
            std::size_t const connections = std::size_t{real.active} + real.inactive;
            if (leaves && connections > 0)
                left.push_back({service.key, real.server, connections});
        }
    return left;
}

/// Whether a change only removes what was kept for its connections.
bool only_removes(Changes const& changes, std::vector<IpvsService> const& leaving) {
    return changes.marks.empty() && !changes.nft && changes.settings.empty() &&
           std::ranges::all_of(changes.services, [&](IpvsChange const& change) {
               return (change.action == IpvsChange::Action::delete_service ||
                       change.action == IpvsChange::Action::delete_real) &&
                      std::ranges::find(leaving, change.key, &IpvsService::key) != leaving.end();
           });
}

class Drain {
public:
    Drain(Draining const& run, Wanted wanted) : run_(run), wanted_(std::move(wanted)) {}

    Status operator()() {
        auto transaction = Transaction::plan(run_.kernel, wanted_, run_.lock_wait);
        if (!transaction)
            return fail(transaction.error());
        leaving_ = transaction->changes().leaving;
        if (auto done = make_change(*transaction, refuse_if_pending); !done)
            return fail(done.error());
        auto changes = transaction->changes();
        if (!leaving_.empty()) {
            if (auto const ended = wait(); ended != Status::done)
                return ended;
            if (auto const removed = remove(changes); removed != Status::done)
                return removed;
        }
        print_changes(changes, run_.output, run_.environment);
        return Status::done;
    }

private:
    [[nodiscard]] Status fail(ApplyFailure const& failure) const {
        return print_apply_failure(failure, run_.sources, run_.output, run_.environment);
    }

    [[nodiscard]] Status fail_half_way(ApplyFailure failure) const {
        failure.outcome = ApplyFailure::Outcome::partly_applied;
        failure.left.emplace_back("IPVS: what was to leave, at weight 0");
        return fail(failure);
    }

    /// Waits until no connection is left or the time is over.
    Status wait() {
        auto left = look();
        if (!left)
            return fail_half_way({ApplyFailure::Outcome::refused, left.error(), {}});
        tell_wait(*left);
        auto const end = std::chrono::steady_clock::now() + run_.limit;
        SignalsHeld const held;
        while (!left->empty() && std::chrono::steady_clock::now() < end) {
            if (auto const signal = held.wait(pause); signal != 0)
                return stop(signal, *left);
            left = look();
            if (!left)
                return fail_half_way({ApplyFailure::Outcome::refused, left.error(), {}});
        }
        tell(*left, "{} cut");
        return Status::done;
    }

    [[nodiscard]] std::expected<std::vector<Left>, SystemError> look() const {
        return connections_left(run_.kernel, leaving_, wanted_.ipvs->services);
    }

    void tell_wait(std::vector<Left> const& left) const {
        auto const seconds = std::chrono::ceil<std::chrono::seconds>(run_.limit).count();
        if (left.empty())
            say("no connection to wait for");
        else
            say(fmt::format("waiting for connections to end, {}s at most{}; those that are left then are cut", seconds,
                            run_.output.json ? "" : fmt::format(", until {}", clock_in(run_.limit))));
        tell(left, "{}");
        run_.environment.err.flush();
    }

    /// Ends the wait early. A signal without a handler ends this process here.
    [[nodiscard]] Status stop(int signal, std::vector<Left> const& left) const {
        say("told to end: the change is made, and what leaves is still there, at weight 0; `lbc apply` with --drain "
            "waits on, and without it removes them at once");
        tell(left, "{}");
        run_.environment.out.flush();
        run_.environment.err.flush();
        ::raise(signal);
        return Status::partly_applied;
    }

    /// Prints one line for each real server; `form` describes the fate of "3 connections to 10.0.0.7".
    void tell(std::vector<Left> const& left, std::string_view form) const {
        for (auto const& one : left)
            say(fmt::format(
                "{}: {}", names().title(one.key),
                fmt::format(fmt::runtime(form),
                            fmt::format("{} to {}", counted(one.connections, "connection"), names().real(one.real)))));
    }

    void say(std::string_view text) const { run_.environment.err << fmt::format("{}: {}\n", run_.output.who, text); }

    [[nodiscard]] SiteNames const& names() const {
        static SiteNames const none;
        return run_.output.names == nullptr ? none : *run_.output.names;
    }

    /// Removes what has left. The lock was free meanwhile, so changes of another command since then are not undone.
    Status remove(Changes& changes) {
        wanted_.ipvs->drain = false;
        auto removal = Transaction::plan(run_.kernel, wanted_, run_.lock_wait);
        if (!removal)
            return fail_half_way(std::move(removal.error()));
        if (!only_removes(removal->changes(), leaving_))
            return fail_half_way({ApplyFailure::Outcome::refused,
                                  {SystemError::Kind::changed, 0, "the director was changed while connections ended"},
                                  {}});
        if (auto done = make_change(*removal, refuse_if_pending); !done)
            return fail_half_way(std::move(done.error()));
        std::ranges::copy(removal->changes().services, std::back_inserter(changes.services));
        return Status::done;
    }

    Draining const& run_;
    Wanted wanted_;
    std::vector<IpvsService> leaving_;
};

} // namespace

Status drain(Draining const& run, Wanted wanted) { return Drain(run, std::move(wanted))(); }

} // namespace lbc
