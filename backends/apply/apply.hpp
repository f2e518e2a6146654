// Changes a director to what is wanted in one transaction, or leaves it unchanged. Every check that needs no write runs
// first. Checks that need no look at the kernel, such as keepalived's test of its file, run before the lock, because
// they take long. The xtables lock is held from the first read to the last. The writes follow in this order: lbc's
// record, new and changed services and real servers, marks of IPv4, marks of IPv6, removals. So no packet gets a mark
// that has no service. Finally everything is read back.
#pragma once

#include "backends/apply/ipvs_step.hpp"
#include "backends/apply/keepalived_step.hpp"
#include "backends/apply/mangle_step.hpp"
#include "backends/apply/nft_step.hpp"
#include "backends/apply/transaction.hpp"
#include "compiler/layout/layout.hpp"

#include <optional>

namespace lbc {

struct Wanted {
    std::optional<MarkRules> marks;               // for the legacy tables; none: they stay unchanged
    std::optional<NftState> nft{};                // for nftables; none: it stays unchanged
    bool variants_leave = false;                  // remove lbc's chains from the tables of iptables-nft
    std::optional<IpvsWanted> ipvs;               // none: IPVS stays unchanged
    std::optional<KeepalivedWanted> keepalived{}; // none: keepalived stays unchanged
};

/// The mangle rules of a director's plan, for each family.
[[nodiscard]] MarkRules mark_rules(Site const& site, Plan const& plan, Layout layout);

/// No own rules in either family: what `remove` wants.
[[nodiscard]] MarkRules no_marks();

struct Changes {
    std::vector<FamilyChange> marks;
    std::optional<NftChange> nft;
    std::vector<IpvsChange> services;
    std::vector<std::string> settings;
    std::optional<KeepalivedChange> keepalived; // its file; `settings` has a line for it
    std::vector<IpvsService> leaving;           // see IpvsPlan
    std::vector<std::string> notes;             // see KeepalivedPlan; not changes

    [[nodiscard]] bool empty() const { return marks.empty() && !nft && services.empty() && settings.empty(); }
};

/// A change that is planned, then made. It can be rolled back while this object lives.
class Transaction {
public:
    /// Prepares, takes the lock, reads the kernel and plans the steps. Writes nothing. `wait` bounds the wait for the
    /// lock. `kernel` must outlive this.
    [[nodiscard]] static std::expected<Transaction, ApplyFailure> plan(Kernel& kernel, Wanted const& wanted,
                                                                       std::chrono::milliseconds wait);

    [[nodiscard]] Changes const& changes() const { return changes_; }

    /// Makes the changes and releases the lock. Writes nothing if there are no changes.
    [[nodiscard]] std::expected<void, ApplyFailure> run();

    /// Restores the state before `run`. Takes the lock again, and waits up to `wait` for it.
    [[nodiscard]] std::expected<void, ApplyFailure> roll_back(std::chrono::milliseconds wait);

private:
    explicit Transaction(Kernel& kernel) : kernel_(&kernel) {}

    std::expected<void, SystemError> look(Wanted const& wanted, bool is_tested);
    std::expected<MarkPlan, SystemError> look_at_marks(Wanted const& wanted);

    Kernel* kernel_;
    std::unique_ptr<XtablesLock> lock_;
    Steps steps_;
    Changes changes_;
};

} // namespace lbc
