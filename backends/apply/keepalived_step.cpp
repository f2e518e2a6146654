#include "backends/apply/keepalived_step.hpp"

#include "backends/apply/ipvs_plan.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/keepalived/virtual_server_blocks.hpp"
#include "backends/keepalived/vrrp_differences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <thread>
#include <utility>

namespace lbc {
namespace {

constexpr std::chrono::milliseconds pause{50};

IpvsReal const* find(std::vector<IpvsReal> const& reals, IpAddress const& address) {
    auto const found = std::ranges::find(reals, address, [](IpvsReal const& real) { return real.server.address; });
    return found == reals.end() ? nullptr : &*found;
}

/// The first difference of a service from what is wanted. A server that is missing, or has weight 0, fails its check.
std::string not_shown_of(IpvsService const& now, KeepalivedService const& wanted) {
    if (now.parameters != wanted.service.parameters)
        return fmt::format("service {} as it is to be", now.key.str());
    for (auto const& real : now.reals) {
        auto const* meant = find(wanted.service.reals, real.server.address);
        bool const is_sorry = wanted.sorry == real.server.address;
        if (meant == nullptr && !is_sorry)
            return fmt::format("service {} without {}", now.key.str(), real.server.address.str());
        if (meant == nullptr || is_sorry)
            continue;
        auto as_now = *meant;
        as_now.server.port = real.server.port;                       // keepalived gives these no port
        as_now.server.connections_min = real.server.connections_min; // see limit_changes
        as_now.server.connections_max = real.server.connections_max;
        if (real.server.weight == 0 || wanted.dynamic)
            as_now.server.weight = real.server.weight;
        if (!real.same_settings(as_now))
            return fmt::format("{} of {} as it is to be", real.server.address.str(), now.key.str());
    }
    return {};
}

std::vector<IpvsService> services_of(std::span<KeepalivedService const> services) {
    std::vector<IpvsService> made;
    std::ranges::transform(services, std::back_inserter(made), &KeepalivedService::service);
    return made;
}

/// The changes of connection limits that keepalived leaves out: it does not change those of a real server that it
/// keeps.
std::vector<IpvsChange> limit_changes(std::span<IpvsService const> now, std::span<IpvsService const> wanted) {
    std::vector<IpvsChange> changes;
    for (auto const& service : wanted) {
        auto const found = std::ranges::lower_bound(now, service.key, {}, &IpvsService::key);
        if (found == now.end() || found->key != service.key)
            continue;
        for (auto const& real : found->reals) {
            auto const* meant = find(service.reals, real.server.address);
            if (meant == nullptr || (meant->server.connections_min == real.server.connections_min &&
                                     meant->server.connections_max == real.server.connections_max))
                continue;
            auto& change = changes.emplace_back(IpvsChange{IpvsChange::Action::edit_real, service.key, {}, {}, {}});
            change.real = meant->server;
            change.real.port = real.server.port;
            change.real.weight = real.server.weight;
            change.span = meant->server.span;
        }
    }
    return changes;
}

/// Writes the file, lets the running keepalived reload it, and waits until IPVS shows it.
class KeepalivedStep final : public Step {
public:
    struct Change {
        std::optional<std::string> from;
        std::string to;
        std::vector<KeepalivedService> services;
        std::vector<ServiceKey> gone;
        std::chrono::milliseconds patience;
        std::vector<IpvsService> before; // in IPVS
    };

    KeepalivedStep(std::shared_ptr<KeepalivedDaemon> daemon, std::shared_ptr<Ipvs> ipvs, Change change)
        : daemon_(std::move(daemon)), ipvs_(std::move(ipvs)), change_(std::move(change)) {}

    std::expected<void, SystemError> apply() override {
        if (auto written = daemon_->write(change_.to); !written)
            return written;
        touched_ = true;
        auto const running = reload();
        if (!running)
            return std::unexpected(running.error());
        if (!*running)
            return {};
        auto const lacks = [this](auto const& now) { return not_shown(now, change_.services, change_.gone); };
        return wait(lacks, services_of(change_.services));
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override { return {}; } // if keepalived runs, `apply` has checked it

    std::expected<void, SystemError> roll_back() override {
        if (auto written = daemon_->write(change_.from); !written)
            return written;
        auto const running = reload();
        if (!running)
            return std::unexpected(running.error());
        if (!*running)
            return {};
        // The next step restores marks that lead to the services of `gone`.
        auto const lacks = [this](auto const& now) {
            for (auto const& key : change_.gone)
                if (!std::ranges::binary_search(now, key, {}, &IpvsService::key))
                    return fmt::format("service {}", key.str());
            return std::string{};
        };
        return wait(lacks, change_.before);
    }

    void list_residue(std::vector<std::string>& out) override {
        out.emplace_back("keepalived: its file, or what it runs with, is the new one");
    }

private:
    std::expected<bool, SystemError> reload() {
        auto running = daemon_->is_running();
        if (!running || !*running)
            return running;
        if (auto told = daemon_->reload(); !told)
            return std::unexpected(std::move(told.error()));
        return true;
    }

    /// Waits until IPVS lacks nothing, then sets the connection limits of `wanted`.
    std::expected<void, SystemError> wait(std::function<std::string(std::vector<IpvsService> const&)> const& lacks_of,
                                          std::vector<IpvsService> const& wanted) {
        auto const end = std::chrono::steady_clock::now() + change_.patience;
        for (;;) {
            auto const now = ipvs_->read([](ServiceKey /*key*/) { return true; });
            if (!now)
                return std::unexpected(now.error());
            auto const lacks = lacks_of(*now);
            if (lacks.empty()) {
                auto written = ipvs_->write(limit_changes(*now, wanted));
                return written ? std::expected<void, SystemError>{} : std::unexpected(std::move(written.error().error));
            }
            if (std::chrono::steady_clock::now() >= end)
                return std::unexpected(SystemError{
                    SystemError::Kind::failed, 0,
                    fmt::format(
                        "keepalived was told to read its configuration, and after {}s IPVS does not show {}; its "
                        "log may say why",
                        std::chrono::duration_cast<std::chrono::seconds>(change_.patience).count(), lacks)});
            std::this_thread::sleep_for(pause);
        }
    }

    std::shared_ptr<KeepalivedDaemon> daemon_;
    std::shared_ptr<Ipvs> ipvs_;
    Change change_;
    bool touched_ = false;
};

/// The number of lines of each text that the other lacks.
std::pair<std::size_t, std::size_t> count_changes(std::string_view from, std::string_view to) {
    std::map<std::string_view, std::int64_t> balance;
    for (auto const& [text, sign] : {std::pair{from, -1}, std::pair{to, 1}})
        for (auto rest = text; !rest.empty();) {
            auto const end = std::min(rest.find('\n'), rest.size() - 1);
            balance[rest.substr(0, end + 1)] += sign;
            rest.remove_prefix(end + 1);
        }
    std::pair<std::size_t, std::size_t> counts;
    for (auto const& [line, count] : balance)
        (count < 0 ? counts.first : counts.second) += static_cast<std::size_t>(count < 0 ? -count : count);
    return counts;
}

std::unexpected<SystemError> refuse(std::string message) {
    return std::unexpected(SystemError{SystemError::Kind::failed, 0, std::move(message)});
}

/// For a file that is as wanted: the drift between IPVS and the file, which no reload mends.
std::string drift(Kernel& kernel, KeepalivedWanted const& wanted) {
    auto ipvs = kernel.open_ipvs();
    auto const now = ipvs ? (*ipvs)->read([](ServiceKey /*key*/) { return true; }) : std::unexpected(ipvs.error());
    auto lacks = now ? not_shown(*now, wanted.services, {}) : now.error().message;
    if (now && lacks.empty() && !limit_changes(*now, services_of(wanted.services)).empty())
        lacks = "connection limits as they are to be";
    return lacks.empty()
               ? lacks
               : fmt::format("IPVS does not show {}, which keepalived's file asks for: it has not read the file "
                             "yet (reload it), or others have changed IPVS, which it mends when it is started anew",
                             lacks);
}

/// The file's text. Refuses one that lbc has not made, unless it is as wanted.
std::expected<std::optional<std::string>, SystemError> read_own(KeepalivedDaemon& daemon,
                                                                KeepalivedWanted const& wanted) {
    auto now = daemon.read();
    if (now && *now && **now != wanted.text && !is_keepalived_text(**now))
        return refuse(fmt::format("{} is not one that apply has written; move it away, or name another file with "
                                  "--keepalived-config",
                                  wanted.path));
    return now;
}

} // namespace

std::vector<KeepalivedService> keepalived_services(Site const& site, Plan const& plan) {
    std::vector<KeepalivedService> out;
    for (auto const& planned : plan.services) {
        auto const& service = site.services[planned.service];
        auto& wanted = out.emplace_back();
        wanted.service = ipvs_service(planned);
        if (auto const* sorry = service.sorry_for(planned.family))
            wanted.sorry = sorry->address;
        auto const sets_weight = [](Check const& check) { return check.dynamic || check.kind == Check::Kind::file; };
        wanted.dynamic = std::ranges::any_of(service.checks, sets_weight) ||
                         std::ranges::any_of(service.reals, [&](RealServer const& real) {
                             return std::ranges::any_of(real.checks, sets_weight);
                         });
    }
    for (auto const& check : plan.checks)
        out.push_back({.service = ipvs_service(check), .sorry = {}});
    return out;
}

std::optional<KeepalivedChange> keepalived_change(std::string const& path, std::optional<std::string> const& now,
                                                  std::string const& wanted) {
    return now == wanted ? std::nullopt : std::optional(KeepalivedChange{path, now.value_or(""), wanted});
}

std::string not_shown(std::span<IpvsService const> now, std::span<KeepalivedService const> wanted,
                      std::span<ServiceKey const> gone) {
    for (auto const& service : wanted) {
        auto const found = std::ranges::lower_bound(now, service.service.key, {}, &IpvsService::key);
        auto lacks = found == now.end() || found->key != service.service.key
                         ? fmt::format("service {}", service.service.key.str())
                         : not_shown_of(*found, service);
        if (!lacks.empty())
            return lacks;
    }
    for (auto const& key : gone)
        if (std::ranges::binary_search(now, key, {}, &IpvsService::key))
            return fmt::format("that service {} is gone", key.str());
    return {};
}

std::expected<bool, SystemError> prepare_keepalived(Kernel& kernel, KeepalivedWanted const& wanted) {
    auto const daemon = kernel.open_keepalived(wanted.path);
    auto const now = read_own(*daemon, wanted);
    if (!now)
        return std::unexpected(now.error());
    if (auto const running = daemon->is_running(); !running)
        return std::unexpected(running.error());
    if (*now == wanted.text)
        return false;
    if (auto tested = daemon->test(wanted.text); !tested)
        return std::unexpected(std::move(tested.error()));
    return true;
}

std::expected<KeepalivedPlan, SystemError> plan_keepalived(Kernel& kernel, KeepalivedWanted const& wanted,
                                                           bool is_tested, bool owes_reload) {
    KeepalivedPlan plan;
    std::shared_ptr<KeepalivedDaemon> const daemon = kernel.open_keepalived(wanted.path);
    auto now = read_own(*daemon, wanted);
    if (!now)
        return std::unexpected(std::move(now.error()));
    auto const running = daemon->is_running();
    if (!running)
        return std::unexpected(running.error());
    if (!*running)
        plan.notes.push_back(fmt::format("keepalived does not run with {}", wanted.path));
    if (daemon->is_readable_by_others() && wanted.text.contains("auth_pass"))
        plan.notes.push_back(
            fmt::format("{} holds VRRP's secret, and not root alone can read it: chmod 600 it", wanted.path));
    plan.change = keepalived_change(wanted.path, *now, wanted.text);
    if (plan.change)
        for (auto const& one : vrrp_differences(plan.change->before, plan.change->after))
            if (!one.effect.empty())
                plan.notes.push_back(fmt::format("vrrp {}: {}", one.instance, one.words()));
    bool const reload_only = !plan.change && *running && owes_reload;
    if (!plan.change && !reload_only) {
        if (auto lacks = *running ? drift(kernel, wanted) : std::string{}; !lacks.empty())
            plan.notes.push_back(std::move(lacks));
        return plan;
    }
    if (!reload_only && !is_tested)
        return std::unexpected(SystemError{SystemError::Kind::changed, 0,
                                           fmt::format("{} was changed by another program meanwhile", wanted.path)});
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    std::shared_ptr<Ipvs> const shared = std::move(*ipvs);
    auto before = shared->read([](ServiceKey /*key*/) { return true; });
    if (!before)
        return std::unexpected(std::move(before.error()));
    auto const [removed, added] = count_changes(now->value_or(""), wanted.text);
    plan.settings.push_back(
        reload_only ? fmt::format("have keepalived read {} again", wanted.path)
                    : fmt::format("write {} for keepalived: lines removed {}, added {}", wanted.path, removed, added));
    auto const left = blocks_that_leave(now->value_or(""), wanted.text);
    auto const with_left = wanted.text + left.text;
    plan.before_marks.push_back(std::make_unique<KeepalivedStep>(
        daemon, shared,
        KeepalivedStep::Change{std::move(*now), with_left, wanted.services, {}, wanted.patience, std::move(*before)}));
    if (!left.keys.empty())
        plan.after_marks.push_back(std::make_unique<KeepalivedStep>(
            daemon, shared,
            KeepalivedStep::Change{with_left, wanted.text, wanted.services, left.keys, wanted.patience, {}}));
    return plan;
}

bool keepalived_holds_services(Kernel& kernel, std::string const& path) {
    auto const daemon = kernel.open_keepalived(path);
    auto const text = daemon->read();
    auto const runs = daemon->is_running();
    return text && *text && runs && *runs && !blocks_that_leave(**text, {}).keys.empty();
}

} // namespace lbc
