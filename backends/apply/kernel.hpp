// The kernel behind one small interface, so that a test can replace it and let each call fail. `backends/iptables/`
// implements the mangle tables, `backends/ipset/` the sets, `backends/ipvs/` IPVS, `backends/keepalived/` the daemon,
// `backends/nft/` lbc's table of nftables.
#pragma once

#include "backends/iptables/mangle_table.hpp"
#include "backends/ipvs/ipvs.hpp"
#include "backends/keepalived/keepalived_daemon.hpp"
#include "backends/nft/nft_netfilter.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/os/record.hpp"
#include "backends/os/sysctl.hpp"
#include "backends/os/system_error.hpp"
#include "compiler/rules/mark_set.hpp"
#include "compiler/rules/ruleset.hpp"

#include <chrono>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lbc {

class Kernel {
public:
    Kernel() = default;
    Kernel(Kernel const&) = delete;
    Kernel& operator=(Kernel const&) = delete;
    virtual ~Kernel() = default;

    /// Waits up to `wait` for the xtables lock (XTABLES_LOCKFILE, else /run/xtables.lock).
    [[nodiscard]] virtual std::expected<std::unique_ptr<XtablesLock>, SystemError>
    lock(std::chrono::milliseconds wait) = 0;

    /// Reads a family's mangle table. `unsupported` if the kernel has none.
    [[nodiscard]] virtual std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) = 0;

    /// The own sets of one family, identified by name and sorted by name, including those that no rule uses. Loads no
    /// module.
    [[nodiscard]] virtual std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) = 0;
    /// Creates a set with these entries, at least one. If a set of this name exists, a full staging set replaces it in
    /// one kernel call: a packet meets the old entries or the new ones. On an error nothing was changed.
    [[nodiscard]] virtual std::expected<void, SystemError> write_set(MarkSet const& set) = 0;
    /// Destroys a set that no rule uses. A set that does not exist is no error.
    [[nodiscard]] virtual std::expected<void, SystemError> destroy_set(std::string const& name) = 0;

    /// Number of rules and sets of sets, own or foreign, that use a set; 0 if it does not exist.
    [[nodiscard]] virtual std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) = 0;

    /// All legacy tables of a family, with own and foreign rules: those of raw, mangle, nat, filter and security that
    /// /proc/net/ip_tables_names (ip6_tables_names) lists. The call creates none.
    [[nodiscard]] virtual std::expected<Netfilter, SystemError> read_netfilter(Family family) = 0;

    /// Whether the legacy mangle table exists and has own chains.
    [[nodiscard]] virtual std::expected<bool, SystemError> has_own_chains(Family family) = 0;

    /// The output of iptables-nft-save for the mangle table if it has own chains, else empty. Loads no module.
    [[nodiscard]] virtual std::expected<std::string, SystemError> save_variant(Family family) = 0;
    /// Runs iptables-nft-restore --noflush on `text`, as one transaction: on an error nothing was changed. With
    /// `only_test` it only checks whether it would accept the text.
    [[nodiscard]] virtual std::expected<void, SystemError> restore_variant(Family family, std::string const& text,
                                                                           bool only_test) = 0;

    /// Whether `iptables` is the variant that keeps its rules in nftables.
    [[nodiscard]] virtual bool is_iptables_nft() = 0;

    /// lbc's table of nftables. Reads nothing yet.
    [[nodiscard]] virtual std::unique_ptr<NftTable> open_nft() = 0;

    /// All tables of nftables in this network namespace, own and foreign, as rules of both families. They include those
    /// of iptables-nft. Loads no module.
    [[nodiscard]] virtual std::expected<NftRulesets, SystemError> read_nftables() = 0;

    /// Opens IPVS, and loads its module if only that is missing. `unsupported` if the kernel has no IPVS.
    [[nodiscard]] virtual std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() = 0;

    /// keepalived with its file at `path`. Reads nothing yet.
    [[nodiscard]] virtual std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) = 0;

    /// `unsupported` if this kernel has no such setting.
    [[nodiscard]] virtual std::expected<int, SystemError> read_sysctl(Sysctl sysctl) = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) = 0;
    /// Checks that changing the setting to `value` costs this box nothing else. The error states the way out.
    [[nodiscard]] virtual std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) = 0;

    /// Returns an empty record if nothing was recorded.
    [[nodiscard]] virtual std::expected<Record, SystemError> read_record() = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> write_record(Record const& record) = 0;
};

} // namespace lbc
