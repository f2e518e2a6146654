// A kernel in memory: two mangle tables with own rules, tables with foreign rules, an IPVS, lbc's record, a log of the
// calls, and calls that fail on request.
#pragma once

#include "backends/apply/kernel.hpp"

#include <array>
#include <functional>
#include <map>
#include <vector>

namespace lbc::test {

class FakeKernel : public Kernel {
public:
    std::array<Ruleset, 2> tables{Ruleset{Family::ipv4, {}, {}}, Ruleset{Family::ipv6, {}, {}}};
    std::array<std::vector<MarkSet>, 2> sets; // sorted by name
    std::set<std::string> used_by_others;     // sets that foreign rules use
    std::array<bool, 2> has_table{true, true};
    /// Whole tables with foreign rules, without the rules of `tables`.
    std::array<std::vector<Ruleset>, 2> foreign;
    NftRulesets nftables; // foreign tables
    bool iptables_nft = false;
    std::array<std::string, 2> variants; // of iptables-nft-save, if its mangle table has own chains
    NftState nft;                        // lbc's table; `load` and `write` only add to `nft_loads`
    std::vector<std::string> nft_loads;

    bool has_ipvs = true;
    std::vector<IpvsService> services;  // in any order
    std::vector<IpvsAddress> addresses; // likewise; services that are found by address
    std::vector<SyncDaemon> daemons;    // that run
    Sysctls sysctls{{Sysctl::backup_only, 0},
                    {Sysctl::accept_local, 0},
                    {Sysctl::conn_reuse_mode, 1},
                    {Sysctl::ip_forward, 0},
                    {Sysctl::ipv6_forwarding, 0}};
    std::set<Sysctl> costly_sysctls; // `may_write_sysctl` refuses them: a write costs the box something else
    Record record;

    std::optional<std::string> keepalived_file; // that keepalived reads
    bool keepalived_runs = false;
    /// Called when keepalived reads its file again.
    std::function<void(FakeKernel&)> on_reload = [](FakeKernel& /*kernel*/) {};

    /// The calls in order: "lock", "open ipv4", "supports ipv4", "replace ipv4", "restore ipv4", "unlock", "read sets
    /// ipv4", "write set LBC-4-0123456789abcdef", "destroy set LBC-4-0123456789abcdef", "find chains ipv4", "save
    /// variant ipv4", "restore variant ipv4", "test variant ipv4", "read netfilter ipv4", "read nftables", "read
    /// record", "write record", "open ipvs", "read services", "read addresses", "write services", "read daemons",
    /// "start daemon", "stop daemon", "read net.ipv4.vs.backup_only", "write net.ipv4.vs.backup_only", "read file",
    /// "write file", "test file", "find keepalived", "reload keepalived". A call that fails is in it too. Calls without
    /// such a name are not in it.
    std::vector<std::string> log;

    /// The calls that fail, by their index in `log`, and their errors. A call that fails changes nothing, except "write
    /// services", which has made the first of several changes.
    std::map<std::size_t, SystemError> failures;

    /// The rules that a table keeps when `replace` writes some; a test makes it keep something else.
    std::function<Ruleset(Ruleset)> keep = [](Ruleset rules) { return rules; };

    /// Called before each call; plays another program that changes something.
    std::function<void(std::string_view)> before_call = [](std::string_view /*name*/) {};

    [[nodiscard]] bool is_locked() const { return locked_; }
    [[nodiscard]] IpvsService const* find(ServiceKey key) const;

    [[nodiscard]] std::expected<std::unique_ptr<XtablesLock>, SystemError>
    lock(std::chrono::milliseconds wait) override;
    /// The table refuses rules that use a missing set.
    [[nodiscard]] std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) override;
    [[nodiscard]] std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) override;
    [[nodiscard]] std::expected<void, SystemError> write_set(MarkSet const& set) override;
    /// Refused if a rule uses the set.
    [[nodiscard]] std::expected<void, SystemError> destroy_set(std::string const& name) override;
    [[nodiscard]] std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) override;
    /// `foreign`, with the own chains and sets in its mangle table: each entry jump is behind the foreign rules of its
    /// chain.
    [[nodiscard]] std::expected<Netfilter, SystemError> read_netfilter(Family family) override;
    [[nodiscard]] std::expected<bool, SystemError> has_own_chains(Family family) override;
    [[nodiscard]] std::expected<std::string, SystemError> save_variant(Family family) override;
    /// A text that deletes a chain (`-X`) empties the variant; any other text replaces it.
    [[nodiscard]] std::expected<void, SystemError> restore_variant(Family family, std::string const& text,
                                                                   bool only_test) override;
    [[nodiscard]] bool is_iptables_nft() override { return iptables_nft; }
    [[nodiscard]] std::unique_ptr<NftTable> open_nft() override;
    [[nodiscard]] std::expected<NftRulesets, SystemError> read_nftables() override;
    [[nodiscard]] std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() override;
    [[nodiscard]] std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) override;
    [[nodiscard]] std::expected<int, SystemError> read_sysctl(Sysctl sysctl) override;
    [[nodiscard]] std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) override;
    [[nodiscard]] std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) override;
    [[nodiscard]] std::expected<Record, SystemError> read_record() override;
    [[nodiscard]] std::expected<void, SystemError> write_record(Record const& wanted) override;

private:
    class Table;
    class FakeNft;
    class Lock;
    class FakeIpvs;
    class FakeKeepalived;

    /// Logs a call; returns its failure, if it is to fail.
    [[nodiscard]] std::expected<void, SystemError> call(std::string name);
    [[nodiscard]] std::expected<void, SystemError> call(std::string_view name, Family family);
    [[nodiscard]] bool has_sets_of(Ruleset const& rules) const;

    bool locked_ = false;
};

} // namespace lbc::test
