#include "tests/support/fake_kernel.hpp"

#include <cerrno>

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
        if (done) {
            table() = kernel_.keep(wanted);
        }
        return done;
    }

    std::expected<void, SystemError> restore() override {
        auto done = kernel_.call("restore", family_);
        if (done) {
            table() = owned_;
        }
        return done;
    }

private:
    Ruleset& table() { return kernel_.tables[static_cast<std::size_t>(family_)]; }

    FakeKernel& kernel_;
    Family family_;
    Ruleset owned_;
};

std::expected<void, SystemError> FakeKernel::call(std::string name) {
    log.push_back(std::move(name));
    auto const failure = failures.find(log.size() - 1);
    if (failure != failures.end()) {
        return std::unexpected(failure->second);
    }
    return {};
}

std::expected<void, SystemError> FakeKernel::call(std::string_view name, Family family) {
    return call(std::string(name) + ' ' + std::string(to_string(family)));
}

std::expected<std::unique_ptr<XtablesLock>, SystemError> FakeKernel::lock(std::chrono::milliseconds /*wait*/) {
    auto done = call("lock");
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    if (locked_) {
        return std::unexpected(
            SystemError{SystemError::Kind::locked, EWOULDBLOCK, "another program holds the xtables lock"});
    }
    return std::make_unique<Lock>(*this);
}

std::expected<std::unique_ptr<MangleTable>, SystemError> FakeKernel::open_mangle(Family family) {
    auto done = call("open", family);
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    if (!has_table[static_cast<std::size_t>(family)]) {
        return std::unexpected(SystemError{SystemError::Kind::unsupported, ENOENT, "the kernel has no mangle table"});
    }
    return std::make_unique<Table>(*this, family);
}

} // namespace lbc::test
