// keepalived's configuration as steps of a transaction. A service that leaves stays in the file until no mark leads to
// it: before the marks the file gets the new blocks and keeps those that leave; after the marks it loses the latter.
#pragma once

#include "backends/apply/kernel.hpp"
#include "backends/apply/transaction.hpp"
#include "compiler/plan/plan.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// A virtual service that keepalived is to create. Health checks decide which of its servers IPVS holds at a time.
struct KeepalivedService {
    IpvsService service;
    std::optional<IpAddress> sorry;
    bool dynamic = false; // a check sets weights
};

struct KeepalivedWanted {
    std::string path;
    std::string text;
    std::vector<KeepalivedService> services;
    std::chrono::milliseconds patience{15'000}; // from a reload until IPVS shows the file; more with many services
};

struct KeepalivedChange {
    std::string path;
    std::string before; // empty: there was none
    std::string after;
};

/// The change from the present text, if there is a file, to the wanted one; none: they are equal.
[[nodiscard]] std::optional<KeepalivedChange>
keepalived_change(std::string const& path, std::optional<std::string> const& now, std::string const& wanted);

struct KeepalivedPlan {
    Steps before_marks;
    Steps after_marks;
    std::optional<KeepalivedChange> change; // none: the file is as wanted
    std::vector<std::string> settings;      // "write …/keepalived.conf for keepalived: lines removed 3, added 5"
    std::vector<std::string> notes;         // what the operator should know and lbc does not change
};

/// One service for each of the plan's services, in the plan's order, then one for each mark of its checks.
[[nodiscard]] std::vector<KeepalivedService> keepalived_services(Site const& site, Plan const& plan);

/// Refuses what needs no lock to find: a keepalived that runs with another file, a file that lbc has not made, and a
/// text that `keepalived -t` refuses. So these need not wait for the lock. Returns whether the text is new, and so was
/// tested.
[[nodiscard]] std::expected<bool, SystemError> prepare_keepalived(Kernel& kernel, KeepalivedWanted const& wanted);

/// Reads the file and compares it with `wanted`. `is_tested` is the result of `prepare_keepalived`; a file that was
/// changed since then is an error. `owes_reload`: an earlier run may have ended between writing the file and the
/// reload.
[[nodiscard]] std::expected<KeepalivedPlan, SystemError> plan_keepalived(Kernel& kernel, KeepalivedWanted const& wanted,
                                                                         bool is_tested, bool owes_reload = false);

/// Whether a keepalived runs with a file that has virtual services by mark, as under `ipvs keepalived`: when it stops,
/// it removes them from IPVS, whoever programs it by then. What cannot be read counts as no.
[[nodiscard]] bool keepalived_holds_services(Kernel& kernel, std::string const& path);
inline constexpr std::string_view keepalived_holds_them =
    "keepalived runs with virtual services, and removes them when it stops: stop it, then run `lbc apply`";

/// The first difference between IPVS and what keepalived is to make of it: a part of `wanted` that `now` lacks, or a
/// service of `gone` that it still has. Empty if there is none. `now` is sorted by key.
[[nodiscard]] std::string not_shown(std::span<IpvsService const> now, std::span<KeepalivedService const> wanted,
                                    std::span<ServiceKey const> gone);

} // namespace lbc
