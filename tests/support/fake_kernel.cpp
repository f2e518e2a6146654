#include "tests/support/fake_kernel.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

namespace lbc::test {

class FakeKernel::Lock final : public XtablesLock {
public:
    explicit Lock(FakeKernel& kernel) : kernel_(kernel) { kernel_.locked_ = true; }
    Lock(Lock const&) = delete;
    Lock& operator=(Lock const&) = delete;
    ~Lock() override {
        kernel_.locked_ = false;
        kernel_.log.emplace_back("unlock");
    }

private:
    FakeKernel& kernel_;
};

class FakeKernel::Table final : public MangleTable {
public:
    Table(FakeKernel& kernel, Family family)
        : kernel_(kernel), family_(family), owned_(kernel.tables[static_cast<std::size_t>(family)]) {}

    Ruleset const& owned() const override { return owned_; }

    std::expected<void, SystemError> supports(Ruleset const& /*wanted*/) override {
        return kernel_.call("supports", family_);
    }

    std::expected<void, SystemError> replace(Ruleset const& wanted) override {
        auto done = kernel_.call("replace", family_);
        if (done && !kernel_.has_sets_of(wanted)) {
            return std::unexpected(
                SystemError{SystemError::Kind::failed, ENOENT, "a rule asks a set that is not there"});
        }
        if (done)
            table() = kernel_.keep(wanted);
        return done;
    }

    std::expected<void, SystemError> restore() override {
        auto done = kernel_.call("restore", family_);
        if (done && !kernel_.has_sets_of(owned_)) {
            return std::unexpected(
                SystemError{SystemError::Kind::failed, ENOENT, "a rule asks a set that is not there"});
        }
        if (done)
            table() = owned_;
        return done;
    }

private:
    Ruleset& table() { return kernel_.tables[static_cast<std::size_t>(family_)]; }

    FakeKernel& kernel_;
    Family family_;
    Ruleset owned_;
};

class FakeKernel::FakeKeepalived final : public KeepalivedDaemon {
public:
    explicit FakeKeepalived(FakeKernel& kernel) : kernel_(kernel) {}

    std::expected<std::optional<std::string>, SystemError> read() override {
        auto done = kernel_.call("read file");
        if (!done)
            return std::unexpected(std::move(done.error()));
        return kernel_.keepalived_file;
    }

    std::expected<void, SystemError> write(std::optional<std::string> const& text) override {
        auto done = kernel_.call("write file");
        if (done)
            kernel_.keepalived_file = text;
        return done;
    }

    std::expected<void, SystemError> test(std::string const& /*text*/) override { return kernel_.call("test file"); }

    std::expected<bool, SystemError> is_running() override {
        auto done = kernel_.call("find keepalived");
        if (!done)
            return std::unexpected(std::move(done.error()));
        return kernel_.keepalived_runs;
    }

    std::expected<void, SystemError> reload() override {
        auto done = kernel_.call("reload keepalived");
        if (done)
            kernel_.on_reload(kernel_);
        return done;
    }

private:
    FakeKernel& kernel_;
};

class FakeKernel::FakeIpvs final : public Ipvs {
public:
    explicit FakeIpvs(FakeKernel& kernel) : kernel_(kernel) {}

    std::expected<std::vector<IpvsService>, SystemError> read(std::function<bool(ServiceKey)> const& wanted) override {
        if (auto done = kernel_.call("read services"); !done)
            return std::unexpected(std::move(done.error()));
        std::vector<IpvsService> found;
        std::ranges::copy_if(kernel_.services, std::back_inserter(found),
                             [&](IpvsService const& service) { return wanted(service.key); });
        std::ranges::sort(found, {}, &IpvsService::key);
        return found;
    }

    std::expected<std::vector<IpvsAddress>, SystemError> addresses() override {
        if (auto done = kernel_.call("read addresses"); !done)
            return std::unexpected(std::move(done.error()));
        auto found = kernel_.addresses;
        std::ranges::sort(found);
        return found;
    }

    std::expected<void, IpvsRefusal> write(std::span<IpvsChange const> changes) override {
        if (auto done = kernel_.call("write services"); !done) {
            bool const partly = changes.size() > 1;
            if (partly)
                static_cast<void>(make(changes.front()));
            return std::unexpected(IpvsRefusal{partly ? std::size_t{1} : 0, std::move(done.error())});
        }
        std::optional<IpvsRefusal> refused;
        std::size_t done = 0;
        for (IpvsChange const& change : changes)
            if (make(change))
                ++done;
            else if (!refused)
                refused = IpvsRefusal{0, {SystemError::Kind::changed, ESRCH, change.str(), change.span}};
        if (!refused)
            return {};
        refused->done = done;
        return std::unexpected(std::move(*refused));
    }

    std::expected<std::vector<SyncDaemon>, SystemError> daemons() override {
        if (auto done = kernel_.call("read daemons"); !done)
            return std::unexpected(std::move(done.error()));
        return kernel_.daemons;
    }

    std::expected<void, SystemError> start(SyncDaemon const& daemon) override {
        auto done = kernel_.call("start daemon");
        if (done) {
            kernel_.daemons.push_back(daemon);
            std::ranges::sort(kernel_.daemons, {}, &SyncDaemon::role);
        }
        return done;
    }

    std::expected<void, SystemError> stop(SyncDaemon::Role role) override {
        auto done = kernel_.call("stop daemon");
        if (done)
            std::erase_if(kernel_.daemons, [&](SyncDaemon const& daemon) { return daemon.role == role; });
        return done;
    }

private:
    using Action = IpvsChange::Action;

    /// Like ip_vs_ctl.c: an entry that is added must not exist, one that is changed or deleted must.
    bool make(IpvsChange const& change) {
        auto const service = std::ranges::find(kernel_.services, change.key, &IpvsService::key);
        bool const exists = service != kernel_.services.end();
        if (exists == (change.action == Action::add_service))
            return false;
        switch (change.action) {
        case Action::add_service:
            kernel_.services.push_back({.key = change.key, .parameters = change.parameters});
            break;
        case Action::edit_service: service->parameters = change.parameters; break;
        case Action::delete_service: kernel_.services.erase(service); break;
        default: return make_real(*service, change);
        }
        return true;
    }

    static bool make_real(IpvsService& service, IpvsChange const& change) {
        auto const real = std::ranges::find_if(service.reals, [&](IpvsReal const& other) {
            return other.server.address == change.real.address && other.server.port == change.real.port;
        });
        if ((real != service.reals.end()) == (change.action == Action::add_real))
            return false;
        switch (change.action) {
        case Action::add_real: service.reals.push_back({.server = change.real}); break;
        case Action::edit_real: real->server = change.real; break;
        default: service.reals.erase(real); break;
        }
        return true;
    }

    FakeKernel& kernel_;
};

std::expected<void, SystemError> FakeKernel::call(std::string name) {
    before_call(name);
    log.push_back(std::move(name));
    auto const failure = failures.find(log.size() - 1);
    if (failure != failures.end())
        return std::unexpected(failure->second);
    return {};
}

std::expected<void, SystemError> FakeKernel::call(std::string_view name, Family family) {
    return call(std::string(name) + ' ' + std::string(to_string(family)));
}

std::expected<std::unique_ptr<XtablesLock>, SystemError> FakeKernel::lock(std::chrono::milliseconds /*wait*/) {
    auto done = call("lock");
    if (!done)
        return std::unexpected(std::move(done.error()));
    if (locked_) {
        return std::unexpected(
            SystemError{SystemError::Kind::locked, EWOULDBLOCK, "another program holds the xtables lock"});
    }
    return std::make_unique<Lock>(*this);
}

std::expected<std::unique_ptr<MangleTable>, SystemError> FakeKernel::open_mangle(Family family) {
    auto done = call("open", family);
    if (!done)
        return std::unexpected(std::move(done.error()));
    if (!has_table[static_cast<std::size_t>(family)])
        return std::unexpected(SystemError{SystemError::Kind::unsupported, ENOENT, "the kernel has no mangle table"});
    return std::make_unique<Table>(*this, family);
}

namespace {

Chain& chain_of(Ruleset& table, std::string const& name) {
    auto const found = std::ranges::lower_bound(table.chains, name, {}, &Chain::name);
    return found != table.chains.end() && found->name == name ? *found : *table.chains.insert(found, {name, {}});
}

/// Adds the own rules to the whole table.
void add_own(Ruleset const& own, Ruleset& table) {
    for (Chain const& chain : own.chains)
        chain_of(table, chain.name) = chain;
    for (EntryJump const& hook : own.entry_jumps) {
        std::vector<Rule>& rules = chain_of(table, hook.builtin).rules;
        bool const has_policy = !rules.empty() && rules.back().then == Target{Drop{.is_policy = true}};
        rules.insert(has_policy ? rules.end() - 1 : rules.end(), hook.rule);
    }
}

} // namespace

std::expected<Netfilter, SystemError> FakeKernel::read_netfilter(Family family) {
    auto done = call("read netfilter", family);
    if (!done)
        return std::unexpected(std::move(done.error()));
    Netfilter result{family, foreign[static_cast<std::size_t>(family)]};
    Ruleset const& own = tables[static_cast<std::size_t>(family)];
    if (!own.empty()) {
        auto mangle = std::ranges::find(result.tables, own.table, &Ruleset::table);
        if (mangle == result.tables.end())
            mangle = result.tables.insert(mangle, {family, {}, {}});
        add_own(own, *mangle);
        mangle->sets = sets[static_cast<std::size_t>(family)];
    }
    return result;
}

IpvsService const* FakeKernel::find(ServiceKey key) const {
    auto const found = std::ranges::find(services, key, &IpvsService::key);
    return found == services.end() ? nullptr : &*found;
}

std::expected<std::unique_ptr<Ipvs>, SystemError> FakeKernel::open_ipvs() {
    auto done = call("open ipvs");
    if (!done)
        return std::unexpected(std::move(done.error()));
    if (!has_ipvs)
        return std::unexpected(SystemError{SystemError::Kind::unsupported, ENOENT, "the kernel has no IPVS"});
    return std::make_unique<FakeIpvs>(*this);
}

std::unique_ptr<KeepalivedDaemon> FakeKernel::open_keepalived(std::string /*path*/) {
    return std::make_unique<FakeKeepalived>(*this);
}

std::expected<int, SystemError> FakeKernel::read_sysctl(Sysctl sysctl) {
    auto done = call(std::string("read ") + std::string(title(sysctl)));
    if (!done)
        return std::unexpected(std::move(done.error()));
    return sysctls.at(sysctl);
}

std::expected<void, SystemError> FakeKernel::write_sysctl(Sysctl sysctl, int value) {
    auto done = call(std::string("write ") + std::string(title(sysctl)));
    if (done)
        sysctls.at(sysctl) = value;
    return done;
}

std::expected<void, SystemError> FakeKernel::may_write_sysctl(Sysctl sysctl, int /*value*/) {
    if (costly_sysctls.contains(sysctl))
        return std::unexpected(SystemError{SystemError::Kind::failed, 0, std::string(title(sysctl)) + " costs"});
    return {};
}

std::expected<Record, SystemError> FakeKernel::read_record() {
    auto done = call("read record");
    if (!done)
        return std::unexpected(std::move(done.error()));
    return record;
}

std::expected<void, SystemError> FakeKernel::write_record(Record const& wanted) {
    auto done = call("write record");
    if (done)
        record = wanted;
    return done;
}

} // namespace lbc::test
