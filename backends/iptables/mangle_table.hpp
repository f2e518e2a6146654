// The legacy mangle table of one family and the lock around its changes, as interfaces, so that a test can replace
// them.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/rules/ruleset.hpp"

#include <chrono>
#include <expected>
#include <memory>

namespace lbc {

/// The xtables lock: iptables and every program that uses it take it around a change. Held until destroyed.
class XtablesLock {
public:
    XtablesLock() = default;
    XtablesLock(XtablesLock const&) = delete;
    XtablesLock& operator=(XtablesLock const&) = delete;
    virtual ~XtablesLock() = default;
};

/// One family's mangle table as it was when it was opened.
class MangleTable {
public:
    MangleTable() = default;
    MangleTable(MangleTable const&) = delete;
    MangleTable& operator=(MangleTable const&) = delete;
    virtual ~MangleTable() = default;

    /// The own rules: own chains, and the rules of built-in chains that jump to them.
    [[nodiscard]] virtual Ruleset const& owned() const = 0;

    /// Whether `owned()` equals `wanted`. If they are equal, this is cheaper than reading all of `owned()`.
    [[nodiscard]] virtual bool holds(Ruleset const& wanted) const { return owned() == wanted; }

    /// Checks that the kernel has every match and target that `wanted` uses. Loads modules as iptables does, and
    /// changes nothing else. The error names what is missing.
    [[nodiscard]] virtual std::expected<void, SystemError> supports(Ruleset const& wanted) = 0;

    /// Replaces the own rules of the table with `wanted` in one kernel call: the packet path sees the old rules or the
    /// new ones. Entry jumps that stay keep their place, new ones are appended after the foreign rules. Every foreign
    /// chain, rule, policy and counter stays. If another program has changed the table since, it is read again and the
    /// change is made on the new content; the error is `changed` after several tries. On an error nothing was changed.
    [[nodiscard]] virtual std::expected<void, SystemError> replace(Ruleset const& wanted) = 0;

    /// Rolls `replace` back: restores the own rules of when this table was read, with their counters of that time.
    [[nodiscard]] virtual std::expected<void, SystemError> restore() = 0;
};

/// The legacy tables of iptables, in this network namespace.
class LegacyTables {
public:
    LegacyTables() = default;
    LegacyTables(LegacyTables const&) = delete;
    LegacyTables& operator=(LegacyTables const&) = delete;
    virtual ~LegacyTables() = default;

    /// Waits up to `wait` for the xtables lock (XTABLES_LOCKFILE, else /run/xtables.lock).
    [[nodiscard]] virtual std::expected<std::unique_ptr<XtablesLock>, SystemError>
    lock(std::chrono::milliseconds wait) = 0;

    /// Reads a family's mangle table. `unsupported` if the kernel has none.
    [[nodiscard]] virtual std::expected<std::unique_ptr<MangleTable>, SystemError> open_mangle(Family family) = 0;

    /// All legacy tables of a family, with own and foreign rules: those of raw, mangle, nat, filter and security that
    /// /proc/net/ip_tables_names (ip6_tables_names) lists. The call creates none.
    [[nodiscard]] virtual std::expected<Netfilter, SystemError> read_netfilter(Family family) = 0;

    /// Whether the legacy mangle table exists and has own chains.
    [[nodiscard]] virtual std::expected<bool, SystemError> has_own_chains(Family family) = 0;

    /// Whether `iptables` is the variant that keeps its rules in nftables.
    [[nodiscard]] virtual bool is_iptables_nft() = 0;
};

} // namespace lbc
