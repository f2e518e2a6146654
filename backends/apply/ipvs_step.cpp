#include "backends/apply/ipvs_step.hpp"

#include "backends/apply/ipvs_plan.hpp"
#include "backends/apply/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace lbc {
namespace {

using Owns = std::function<bool(Fwmark)>;

constexpr int write_attempts = 3;

/// Shared by both steps on services.
struct ServicesChange {
    std::shared_ptr<Ipvs> ipvs;
    Owns owns;
    std::vector<IpvsService> before;
    std::vector<IpvsService> wanted;
    bool drain = false;
};

std::set<ServiceKey> keys_of(std::vector<IpvsChange> const& changes) {
    std::set<ServiceKey> keys;
    for (IpvsChange const& change : changes)
        keys.insert(change.key);
    return keys;
}

std::expected<std::vector<IpvsService>, SystemError> read_owned(Ipvs& ipvs, Owns const& owns) {
    return ipvs.read([&](ServiceKey key) { return owns(key.mark); });
}

class ServicesStep final : public Step {
public:
    enum class Part : std::uint8_t { grow, shrink };

    ServicesStep(std::shared_ptr<ServicesChange const> change, Part part, std::vector<IpvsChange> writes)
        : change_(std::move(change)), part_(part), writes_(std::move(writes)), keys_(keys_of(writes_)) {}

    /// If another program has changed the services since they were read, reads and compares them again.
    std::expected<void, SystemError> apply() override {
        for (int attempt = 1;; ++attempt) {
            auto written = change_->ipvs->write(writes_);
            touched_ = touched_ || written || written.error().done > 0;
            if (written)
                return {};
            if (written.error().error.kind != SystemError::Kind::changed || attempt == write_attempts)
                return std::unexpected(std::move(written.error().error));
            auto now = read_owned(*change_->ipvs, change_->owns);
            if (!now)
                return std::unexpected(std::move(now.error()));
            writes_ = part_of(ipvs_difference(*now, change_->wanted));
            keys_.merge(keys_of(writes_));
        }
    }

    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        if (part_ == Part::shrink && change_->drain)
            return {};
        auto const now = change_->ipvs->read([&](ServiceKey key) { return keys_.contains(key); });
        if (!now)
            return std::unexpected(now.error());
        std::vector<IpvsService> wanted;
        std::ranges::copy_if(change_->wanted, std::back_inserter(wanted),
                             [&](IpvsService const& service) { return keys_.contains(service.key); });
        auto const left = part_of(ipvs_difference(*now, wanted));
        if (left.empty())
            return {};
        return std::unexpected(
            SystemError{SystemError::Kind::failed, 0,
                        fmt::format("IPVS does not read back as it was written; it lacks: {}", left.front().str()),
                        left.front().span});
    }

    /// Follows the order of `apply`. Removed services are restored before the marks that lead to them. Added services
    /// are removed, with the step that added them, when no mark leads to them any more.
    std::expected<void, SystemError> roll_back() override {
        auto const now = read_owned(*change_->ipvs, change_->owns);
        if (!now)
            return std::unexpected(now.error());
        auto back = ipvs_difference(*now, change_->before);
        if (part_ == Part::shrink)
            back.shrink.clear();
        for (auto const* changes : {&back.grow, &back.shrink})
            if (auto written = change_->ipvs->write(*changes); !written)
                return std::unexpected(std::move(written.error().error));
        return {};
    }

    void list_residue(std::vector<std::string>& out) override {
        auto const now = read_owned(*change_->ipvs, change_->owns);
        if (!now) {
            out.emplace_back("IPVS: what is in it cannot be read; it may hold the new services");
            return;
        }
        auto const back = ipvs_difference(*now, change_->before);
        for (auto const* changes : {&back.grow, &back.shrink})
            for (IpvsChange const& change : *changes)
                out.push_back(fmt::format("IPVS: to be as before, {}", change.str()));
    }

private:
    [[nodiscard]] std::vector<IpvsChange> part_of(IpvsDifference difference) const {
        if (part_ == Part::grow)
            return std::move(difference.grow);
        return change_->drain ? drained(difference) : std::move(difference.shrink);
    }

    std::shared_ptr<ServicesChange const> change_;
    Part part_;
    std::vector<IpvsChange> writes_;
    std::set<ServiceKey> keys_;
    bool touched_ = false;
};

/// Stops running daemons that differ from the wanted ones, and starts wanted ones that do not run.
class DaemonsStep final : public Step {
public:
    DaemonsStep(std::shared_ptr<Ipvs> ipvs, std::vector<SyncDaemon> before, std::vector<SyncDaemon> wanted)
        : ipvs_(std::move(ipvs)), before_(std::move(before)), wanted_(std::move(wanted)) {}

    std::expected<void, SystemError> apply() override { return bring_to(wanted_); }
    bool touched() const override { return touched_; }
    std::expected<void, SystemError> roll_back() override { return bring_to(before_); }

    std::expected<void, SystemError> check() override {
        auto const running = ipvs_->daemons();
        if (!running)
            return std::unexpected(running.error());
        if (are_met(wanted_, *running))
            return {};
        return std::unexpected(SystemError{SystemError::Kind::failed, 0, "the sync daemons do not run as wanted"});
    }

    void list_residue(std::vector<std::string>& out) override {
        out.emplace_back("IPVS: the sync daemons are not as before");
    }

private:
    std::expected<void, SystemError> bring_to(std::vector<SyncDaemon> const& target) {
        auto const running = ipvs_->daemons();
        if (!running)
            return std::unexpected(running.error());
        for (SyncDaemon const& daemon : *running) {
            if (std::ranges::none_of(target, [&](auto const& other) { return other.is_met_by(daemon); })) {
                if (auto stopped = ipvs_->stop(daemon.role); !stopped)
                    return stopped;
                touched_ = true;
            }
        }
        for (SyncDaemon const& daemon : target) {
            if (std::ranges::none_of(*running, [&](auto const& other) { return daemon.is_met_by(other); })) {
                if (auto started = ipvs_->start(daemon); !started)
                    return started;
                touched_ = true;
            }
        }
        return {};
    }

    std::shared_ptr<Ipvs> ipvs_;
    std::vector<SyncDaemon> before_;
    std::vector<SyncDaemon> wanted_;
    bool touched_ = false;
};

class SysctlStep final : public Step {
public:
    SysctlStep(HostState& host, Sysctl sysctl, int before, int wanted, std::optional<Span> place)
        : host_(host), sysctl_(sysctl), before_(before), wanted_(wanted), place_(place) {}

    std::expected<void, SystemError> apply() override {
        auto done = host_.write_sysctl(sysctl_, wanted_);
        touched_ = done.has_value();
        if (!done)
            done.error().place = place_;
        return done;
    }
    bool touched() const override { return touched_; }
    std::expected<void, SystemError> roll_back() override { return host_.write_sysctl(sysctl_, before_); }

    std::expected<void, SystemError> check() override {
        auto const now = host_.read_sysctl(sysctl_);
        if (!now)
            return std::unexpected(now.error());
        if (*now == wanted_)
            return {};
        return std::unexpected(SystemError{SystemError::Kind::failed, 0,
                                           fmt::format("{} does not read back as it was written", title(sysctl_))});
    }

    void list_residue(std::vector<std::string>& out) override {
        out.push_back(fmt::format("{}: {}", title(sysctl_), wanted_));
    }

private:
    HostState& host_;
    Sysctl sysctl_;
    int before_;
    int wanted_;
    std::optional<Span> place_;
    bool touched_ = false;
};

std::expected<void, SystemError> plan_services(IpvsWanted const& wanted, Owns const& owns, IpvsPlan& plan) {
    auto now = read_owned(*plan.ipvs, owns);
    if (!now)
        return std::unexpected(std::move(now.error()));
    auto const change = std::make_shared<ServicesChange>(
        ServicesChange{plan.ipvs, owns, std::move(*now), wanted.services, wanted.drain});
    IpvsDifference difference = ipvs_difference(change->before, change->wanted);
    if (wanted.drain && !difference.shrink.empty()) {
        auto const keys = keys_of(difference.shrink);
        std::ranges::copy_if(change->before, std::back_inserter(plan.leaving),
                             [&](IpvsService const& service) { return keys.contains(service.key); });
        difference.shrink = drained(difference);
    }
    using Part = ServicesStep::Part;
    plan.changes = difference.grow;
    std::ranges::copy(difference.shrink, std::back_inserter(plan.changes));
    if (!difference.grow.empty())
        plan.before_marks.push_back(std::make_unique<ServicesStep>(change, Part::grow, std::move(difference.grow)));
    if (!difference.shrink.empty())
        plan.after_marks.push_back(std::make_unique<ServicesStep>(change, Part::shrink, std::move(difference.shrink)));
    return {};
}

/// Daemons that neither the site nor the record names are foreign.
std::expected<void, SystemError> plan_daemons(IpvsWanted const& wanted, Record const& record, IpvsPlan& plan) {
    if (wanted.daemons.empty() && !record.sync)
        return {};
    auto running = plan.ipvs->daemons();
    if (!running)
        return std::unexpected(std::move(running.error()));
    if (are_met(wanted.daemons, *running))
        return {};
    plan.settings.push_back(wanted.daemons.empty()
                                ? "stop the sync daemons"
                                : fmt::format("run the sync daemons on {} with id {}", wanted.daemons.front().interface,
                                              wanted.daemons.front().id));
    plan.before_marks.push_back(std::make_unique<DaemonsStep>(plan.ipvs, std::move(*running), wanted.daemons));
    return {};
}

/// A setting that already has its value, and is not in the record, is foreign.
std::expected<void, SystemError> plan_sysctl(HostState& host, Sysctl sysctl, IpvsWanted const& wanted,
                                             Record const& record, IpvsPlan& plan) {
    auto const found = read_setting(host, sysctl, wanted.sysctls, record.sysctls);
    if (!found)
        return std::unexpected(found.error());
    if (!*found)
        return {};
    auto const now = (*found)->value;
    auto const value = (*found)->site_value;
    bool const is_asked = wanted.sysctls.contains(sysctl);
    auto const recorded = record.sysctls.find(sysctl);
    bool const is_recorded = recorded != record.sysctls.end();
    if (is_asked && (is_recorded || now != value))
        plan.sysctls.emplace(sysctl, is_recorded ? recorded->second : now);
    if (now == value)
        return {};
    if (auto may = host.may_write_sysctl(sysctl, value); !may)
        return may;
    plan.settings.push_back(fmt::format("set {} to {}", title(sysctl), value));
    // While two guards are on, the stricter one holds.
    Steps& steps = is_asked ? plan.before_marks : plan.after_marks;
    steps.push_back(std::make_unique<SysctlStep>(host, sysctl, now, value, wanted.guard));
    return {};
}

/// For a kernel without IPVS: its IPVS settings no longer exist, the others do.
std::expected<IpvsPlan, SystemError> restore_sysctls(HostState& host, Record const& record, IpvsPlan plan) {
    for (auto const sysctl : sysctls) {
        auto planned = plan_sysctl(host, sysctl, {}, record, plan);
        if (!planned && planned.error().kind != SystemError::Kind::unsupported)
            return std::unexpected(std::move(planned.error()));
    }
    return plan;
}

} // namespace

std::expected<IpvsPlan, SystemError> plan_ipvs(Kernel& kernel, IpvsWanted const& wanted,
                                               std::function<bool(Fwmark)> const& owns, Record const& record) {
    IpvsPlan plan;
    auto opened = kernel.open_ipvs();
    if (!opened) {
        bool const nothing = wanted.services.empty() && wanted.daemons.empty() && wanted.sysctls.empty();
        if (nothing && opened.error().kind == SystemError::Kind::unsupported)
            return restore_sysctls(kernel, record, std::move(plan));
        return std::unexpected(std::move(opened.error()));
    }
    plan.ipvs = std::move(*opened);
    if (!wanted.leave_services) {
        if (auto planned = plan_services(wanted, owns, plan); !planned)
            return std::unexpected(std::move(planned.error()));
    }
    if (auto planned = plan_daemons(wanted, record, plan); !planned)
        return std::unexpected(std::move(planned.error()));
    for (auto const sysctl : sysctls)
        if (auto planned = plan_sysctl(kernel, sysctl, wanted, record, plan); !planned)
            return std::unexpected(std::move(planned.error()));
    return plan;
}

} // namespace lbc
