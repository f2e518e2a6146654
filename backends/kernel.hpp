// The kernel as lbc's commands see it: one small interface, so that a test can stand in for it and make each call
// fail. `backends/iptables/` has the real mangle tables, `backends/ipset/` the real sets, `backends/ipvs/` the real
// IPVS, `backends/keepalived/` the program, `backends/nft/` lbc's table of nftables.
#pragma once

#include "backends/ipvs/ipvs.hpp"
#include "backends/keepalived/keepalived_daemon.hpp"
#include "backends/nft/nft_netfilter.hpp"
#include "backends/nft/nft_table.hpp"
#include "backends/sysctl.hpp"
#include "backends/system_error.hpp"
#include "compiler/mark_set.hpp"
#include "compiler/ruleset.hpp"

#include <chrono>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lbc {

/// The lock that iptables, and everything that uses it, takes around a change; held until destroyed.
class XtablesLock {
public:
    XtablesLock() = default;
    XtablesLock(XtablesLock const&) = delete;
    XtablesLock& operator=(XtablesLock const&) = delete;
    virtual ~XtablesLock() = default;
};

/// One family's mangle table as it was when it was read.
class MangleTable {
public:
    MangleTable() = default;
    MangleTable(MangleTable const&) = delete;
    MangleTable& operator=(MangleTable const&) = delete;
    virtual ~MangleTable() = default;

    /// What is lbc's in it: its chains, and rules of built-in chains that lead into them.
    [[nodiscard]] virtual Ruleset const& owned() const = 0;

    /// Whether that is `wanted`. Cheaper than to read it all where it is.
    [[nodiscard]] virtual bool holds(Ruleset const& wanted) const { return owned() == wanted; }

    /// Whether the kernel has every match and target that `wanted` uses; loads modules as iptables does. Changes
    /// nothing else. The message names what is missing.
    [[nodiscard]] virtual std::expected<void, SystemError> supports(Ruleset const& wanted) = 0;

    /// Makes `wanted` all that is lbc's in the table, in one kernel call: the packet path sees the old rules or the
    /// new ones. Hooks that stay keep their place, new ones go behind the foreign rules. Every foreign chain, rule,
    /// policy and counter stays. If the table was changed by others since, it is read again and the change made on
    /// what it is now; `changed` after several tries. On an error nothing was changed.
    [[nodiscard]] virtual std::expected<void, SystemError> replace(Ruleset const& wanted) = 0;

    /// Undoes `replace`: what was lbc's when this table was read is again, with its counters as they were then.
    [[nodiscard]] virtual std::expected<void, SystemError> restore() = 0;
};

/// What lbc has put on this box that the kernel does not tell from the work of others. It lasts as long as the kernel's
/// own state does: until the box is started anew.
struct Record {
    std::set<Fwmark> marks; // of virtual services
    Sysctls sysctls;        // each with the value that it had before lbc set it
    bool sync = false;      // the sync daemons
    bool reload = false;    // keepalived's file was written, and keepalived is yet to read it

    friend bool operator==(Record const&, Record const&) = default;
};

class Kernel {
public:
    Kernel() = default;
    Kernel(Kernel const&) = delete;
    Kernel& operator=(Kernel const&) = delete;
    virtual ~Kernel() = default;

    /// Waits up to `wait` for the xtables lock (XTABLES_LOCKFILE, else /run/xtables.lock).
    [[nodiscard]] virtual std::expected<std::unique_ptr<XtablesLock>, SystemError>
    lock(std::chrono::milliseconds wait) = 0;

    /// Reads a family's mangle table. `unsupported` where the kernel has none.
    [[nodiscard]] virtual std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) = 0;

    /// The kernel's sets that are lbc's by their names, of one family, sorted by name; those that no rule asks among
    /// them. Loads no module.
    [[nodiscard]] virtual std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) = 0;
    /// Makes a set with these entries, at least one. One that is called so gets them in one kernel call, from a set
    /// that takes its place: a packet meets the old entries or the new ones. On an error nothing was changed.
    [[nodiscard]] virtual std::expected<void, SystemError> write_set(MarkSet const& set) = 0;
    /// Takes a set off that no rule asks; one that is not there is as good.
    [[nodiscard]] virtual std::expected<void, SystemError> destroy_set(std::string const& name) = 0;

    /// How many rules, and sets of sets, of whatever program, use a set; none use one that is not there.
    [[nodiscard]] virtual std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) = 0;

    /// All legacy tables of a family that there are now, whoever's their rules: those of raw, mangle, nat, filter and
    /// security that /proc/net/ip_tables_names (ip6_tables_names) has. None is made by asking.
    [[nodiscard]] virtual std::expected<Netfilter, SystemError> read_netfilter(Family family) = 0;

    /// Whether the legacy mangle table, where there is one now, has chains of lbc's.
    [[nodiscard]] virtual std::expected<bool, SystemError> has_own_chains(Family family) = 0;

    /// The mangle table of iptables-nft as iptables-nft-save prints it, where it has chains of lbc's; else empty. Loads
    /// no module.
    [[nodiscard]] virtual std::expected<std::string, SystemError> save_variant(Family family) = 0;
    /// Gives iptables-nft-restore --noflush its input, which is one transaction: on an error nothing was changed. Or
    /// only asks whether it makes sense.
    [[nodiscard]] virtual std::expected<void, SystemError> restore_variant(Family family, std::string const& text,
                                                                           bool only_test) = 0;

    /// Whether `iptables` is the kind that keeps its rules in nftables.
    [[nodiscard]] virtual bool is_iptables_nft() = 0;

    /// lbc's table of nftables. Asks nothing yet.
    [[nodiscard]] virtual std::unique_ptr<NftTable> open_nft() = 0;

    /// All tables of nftables in this network namespace, whoever's they are, as rules of both families; iptables-nft
    /// keeps its rules in such. Loads no module for it.
    [[nodiscard]] virtual std::expected<NftRulesets, SystemError> read_nftables() = 0;

    /// `unsupported` where the kernel has no IPVS; loads its module where that is all it lacks.
    [[nodiscard]] virtual std::expected<std::unique_ptr<Ipvs>, SystemError> open_ipvs() = 0;

    /// keepalived with its file at `path`. Asks nothing yet.
    [[nodiscard]] virtual std::unique_ptr<KeepalivedDaemon> open_keepalived(std::string path) = 0;

    /// `unsupported` where this kernel has no such setting.
    [[nodiscard]] virtual std::expected<int, SystemError> read_sysctl(Sysctl sysctl) = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> write_sysctl(Sysctl sysctl, int value) = 0;
    /// Whether nothing else of this box is lost by a write that would change the value. The error says what to do.
    [[nodiscard]] virtual std::expected<void, SystemError> may_write_sysctl(Sysctl sysctl, int value) = 0;

    /// Nothing was recorded: an empty record.
    [[nodiscard]] virtual std::expected<Record, SystemError> read_record() = 0;
    [[nodiscard]] virtual std::expected<void, SystemError> write_record(Record const& record) = 0;
};

} // namespace lbc
