// One machine in memory: files, a name and a kernel, on which commands are run as from a shell.
#pragma once

#include "cli/commands/run.hpp"
#include "tests/support/fake_kernel.hpp"
#include "tests/support/memory_files.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace lbc::test {

class NamedHost final : public Host {
public:
    /// Without MACs it has no interface, and no file is compared with it.
    explicit NamedHost(std::string name, std::vector<MacAddress> const& macs = {}) : name_(std::move(name)) {
        for (auto const& mac : macs) {
            auto const index = static_cast<int>(interfaces_.size()) + 1;
            interfaces_.push_back({.name = "nic" + std::to_string(index),
                                   .kind = {},
                                   .mac = mac,
                                   .index = index,
                                   .is_up = true,
                                   .addresses = {}});
        }
    }
    NamedHost(std::string name, std::vector<Interface> interfaces)
        : name_(std::move(name)), interfaces_(std::move(interfaces)) {}
    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] std::expected<std::vector<Interface>, SystemError> interfaces() const override { return interfaces_; }

private:
    std::string name_;
    std::vector<Interface> interfaces_;
};

/// Lends a command a kernel that outlives it.
class Borrowed final : public Kernel {
public:
    explicit Borrowed(Kernel& kernel) : kernel_(kernel) {}
    [[nodiscard]] std::expected<std::unique_ptr<XtablesLock>, SystemError>
    lock(std::chrono::milliseconds wait) override {
        return kernel_.lock(wait);
    }
    [[nodiscard]] std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) override {
        return kernel_.open_mangle(family);
    }
    [[nodiscard]] std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) override {
        return kernel_.read_sets(family);
    }
    [[nodiscard]] std::expected<void, SystemError> write_set(MarkSet const& set) override {
        return kernel_.write_set(set);
    }
    [[nodiscard]] std::expected<void, SystemError> destroy_set(std::string const& name) override {
        return kernel_.destroy_set(name);
    }
    [[nodiscard]] std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) override {
        return kernel_.count_set_uses(name);
    }
    [[nodiscard]] std::expected<Netfilter, SystemError> read_netfilter(Family family) override {
        return kernel_.read_netfilter(family);
    }
    [[nodiscard]] std::expected<bool, SystemError> has_own_chains(Family family) override {
        return kernel_.has_own_chains(family);
    }
    [[nodiscard]] std::expected<std::string, SystemError> save_variant(Family family) override {
        return kernel_.save_variant(family);
    }
    [[nodiscard]] std::expected<void, SystemError> restore_variant(Family family, std::string const& text,
                                                                   bool only_test) override {
        return kernel_.restore_variant(family, text, only_test);
    }
    [[nodiscard]] bool is_iptables_nft() override { return kernel_.is_iptables_nft(); }
    [[nodiscard]] std::unique_ptr<NftTable> open_nft() override { return kernel_.open_nft(); }
    [[nodiscard]] std::expected<NftRulesets, SystemError> read_nftables() override { return kernel_.read_nftables(); }
    [[nodiscard]] std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() override { return kernel_.open_ipvs(); }
    [[nodiscard]] std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) override {
        return kernel_.open_keepalived(std::move(path));
    }
    [[nodiscard]] std::expected<int, SystemError> read_sysctl(Sysctl sysctl) override {
        return kernel_.read_sysctl(sysctl);
    }
    [[nodiscard]] std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) override {
        return kernel_.write_sysctl(sysctl, value);
    }
    [[nodiscard]] std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) override {
        return kernel_.may_write_sysctl(sysctl, value);
    }
    [[nodiscard]] std::expected<Record, SystemError> read_record() override { return kernel_.read_record(); }
    [[nodiscard]] std::expected<void, SystemError> write_record(Record const& record) override {
        return kernel_.write_record(record);
    }

private:
    Kernel& kernel_;
};

/// One machine with files, a name and a kernel, on which commands are run.
struct Machine {
    explicit Machine(std::map<std::string, std::string> texts) : files(std::move(texts)) {}

    MemoryFiles files;
    NamedHost host{"lb1"};
    FakeKernel kernel;
    std::ostringstream out;
    std::ostringstream err;

    int run(std::vector<std::string> const& arguments, Host* other = nullptr) {
        out.str({});
        err.str({});
        Environment const environment{.files = files,
                                      .host = other != nullptr ? *other : host,
                                      .kernel = [this] { return std::make_unique<Borrowed>(kernel); },
                                      .out = out,
                                      .err = err};
        return static_cast<int>(lbc::run(arguments, environment));
    }

    [[nodiscard]] std::size_t writes() const {
        return static_cast<std::size_t>(std::ranges::count_if(
            kernel.log, [](auto const& call) { return call.starts_with("replace") || call.starts_with("restore"); }));
    }
};

} // namespace lbc::test
