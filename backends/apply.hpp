// The transaction that brings a director to what is wanted, or leaves it as it was. Everything that can be refused
// without a write comes first; what takes long and needs no look at the kernel, such as keepalived's test of its file,
// before the lock. Then, under the xtables lock from the first look to the last: lbc's record of what it
// owns, services and real servers that are new or change, the marks of IPv4, the marks of IPv6, what leaves. So no
// packet is marked for a service that is not there. At the end all of it is read back.
#pragma once

#include "backends/iptables/mangle_step.hpp"
#include "backends/ipvs/ipvs_step.hpp"
#include "backends/keepalived/keepalived_step.hpp"
#include "backends/nft/nft_step.hpp"
#include "backends/transaction.hpp"
#include "compiler/layout/layout.hpp"

#include <optional>

namespace lbc {

struct Wanted {
    std::optional<MarkRules> marks;               // of the legacy tables; none: they are left alone
    std::optional<NftState> nft{};                // of nftables; none: it is left alone
    bool variants_leave = false;                  // lbc's chains in the tables of iptables-nft go
    std::optional<IpvsWanted> ipvs;               // none: IPVS is left alone
    std::optional<KeepalivedWanted> keepalived{}; // none: keepalived is left alone
};

/// What a director's plan says of the mangle tables.
[[nodiscard]] MarkRules mark_rules(Site const& site, Plan const& plan, Layout layout);

/// Nothing of lbc's: what `remove` wants.
[[nodiscard]] MarkRules no_marks();

struct Changes {
    std::vector<FamilyChange> marks;
    std::optional<NftChange> nft;
    std::vector<IpvsChange> services;
    std::vector<std::string> settings;
    std::optional<KeepalivedChange> keepalived; // of its file, which `settings` name
    std::vector<IpvsService> leaving;           // see IpvsPlan
    std::vector<std::string> notes;             // see KeepalivedPlan; no changes

    [[nodiscard]] bool empty() const { return marks.empty() && !nft && services.empty() && settings.empty(); }
};

/// A change that is planned, then made, and can be taken back for as long as this lives.
class Transaction {
public:
    /// Prepares, takes the lock and looks. Writes nothing. `wait` is for the lock. `kernel` must outlive this.
    [[nodiscard]] static std::expected<Transaction, ApplyFailure> plan(Kernel& kernel, Wanted const& wanted,
                                                                       std::chrono::milliseconds wait);

    [[nodiscard]] Changes const& changes() const { return changes_; }

    /// Makes the changes and lets go of the lock. Without changes nothing is written.
    [[nodiscard]] std::expected<void, ApplyFailure> run();

    /// Brings back what was there before `run`, under the lock again.
    [[nodiscard]] std::expected<void, ApplyFailure> take_back(std::chrono::milliseconds wait);

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
