#include "backends/apply/drain.hpp"

#include "backends/apply/confirm_socket.hpp"
#include "backends/apply/ipvs_plan.hpp"
#include "backends/apply/make_change.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

constexpr std::chrono::milliseconds look_pause{200}; // between two looks

std::expected<std::vector<LeavingReal>, SystemError>
connections_left(Kernel& kernel, std::vector<IpvsService> const& leaving, std::vector<IpvsService> const& wanted) {
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    auto const now = (*ipvs)->read(
        [&](ServiceKey key) { return std::ranges::find(leaving, key, &IpvsService::key) != leaving.end(); });
    if (!now)
        return std::unexpected(now.error());
    std::vector<LeavingReal> left;
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

    std::expected<std::optional<Changes>, ApplyFailure> operator()() {
        auto transaction = Transaction::plan(run_.kernel, wanted_, run_.lock_wait);
        if (!transaction)
            return std::unexpected(std::move(transaction.error()));
        leaving_ = transaction->changes().leaving;
        if (auto done = make_change(*transaction, refuse_if_pending); !done)
            return std::unexpected(std::move(done.error()));
        auto changes = transaction->changes();
        if (leaving_.empty())
            return changes;
        auto const is_over = wait();
        if (!is_over)
            return std::unexpected(half_way(is_over.error()));
        if (!*is_over)
            return std::nullopt;
        if (auto removed = remove(changes); !removed)
            return std::unexpected(half_way(std::move(removed.error())));
        return changes;
    }

private:
    static ApplyFailure half_way(ApplyFailure failure) {
        failure.outcome = ApplyFailure::Outcome::partly_applied;
        failure.left.emplace_back("IPVS: what was to leave, at weight 0");
        return failure;
    }

    /// Waits until no connection is left or the time is over. False: a signal came first.
    std::expected<bool, ApplyFailure> wait() {
        auto left = look();
        if (!left)
            return std::unexpected(std::move(left.error()));
        run_.tell(DrainStage::waits, *left);
        auto const end = std::chrono::steady_clock::now() + run_.limit;
        SignalsHeld const held;
        while (!left->empty() && std::chrono::steady_clock::now() < end) {
            if (auto const signal = held.wait(look_pause); signal != 0) {
                run_.tell(DrainStage::stopped, *left);
                ::raise(signal);
                return false;
            }
            left = look();
            if (!left)
                return std::unexpected(std::move(left.error()));
        }
        run_.tell(DrainStage::cut, *left);
        return true;
    }

    [[nodiscard]] std::expected<std::vector<LeavingReal>, ApplyFailure> look() const {
        auto left = connections_left(run_.kernel, leaving_, wanted_.ipvs->services);
        if (!left)
            return std::unexpected(ApplyFailure{ApplyFailure::Outcome::refused, std::move(left.error()), {}});
        return std::move(*left);
    }

    /// Removes what has left. The lock was free meanwhile, so changes of another command since then are not undone.
    std::expected<void, ApplyFailure> remove(Changes& changes) {
        wanted_.ipvs->drain = false;
        auto removal = Transaction::plan(run_.kernel, wanted_, run_.lock_wait);
        if (!removal)
            return std::unexpected(std::move(removal.error()));
        if (!only_removes(removal->changes(), leaving_))
            return std::unexpected(
                ApplyFailure{ApplyFailure::Outcome::refused,
                             {SystemError::Kind::changed, 0, "the director was changed while connections ended"},
                             {}});
        if (auto done = make_change(*removal, refuse_if_pending); !done)
            return done;
        std::ranges::copy(removal->changes().services, std::back_inserter(changes.services));
        return {};
    }

    Draining const& run_;
    Wanted wanted_;
    std::vector<IpvsService> leaving_;
};

} // namespace

std::expected<std::optional<Changes>, ApplyFailure> drain(Draining const& run, Wanted wanted) {
    return Drain(run, std::move(wanted))();
}

} // namespace lbc
