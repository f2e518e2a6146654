// keepalived's configuration as steps of a transaction. A service that leaves stays in the file until no mark leads to
// it: the file is written before the marks with what is new and what leaves, and after them without the latter.
#pragma once

#include "backends/kernel.hpp"
#include "backends/transaction.hpp"
#include "compiler/plan.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// A virtual service as keepalived is to make it. Which of its servers are there at a time is a matter of their health.
struct KeepalivedService {
    IpvsService service;
    std::vector<IpvsReal> sorry; // one at most
    bool dynamic = false;        // a check sets weights
};

struct KeepalivedWanted {
    std::string path;
    std::string text;
    std::vector<KeepalivedService> services;
    std::chrono::milliseconds patience{15'000}; // until IPVS shows a file that was read; more with many services
};

/// The file as it was and as it becomes.
struct KeepalivedChange {
    std::string path;
    std::string before; // empty: there was none
    std::string after;
};

struct KeepalivedPlan {
    Steps before_marks;
    Steps after_marks;
    std::optional<KeepalivedChange> change; // of the file; none: it is as wanted
    std::vector<std::string> settings;      // "write /etc/keepalived/keepalived.conf: 3 lines removed, 5 added"
    std::vector<std::string> notes;         // what the operator should know, and lbc does nothing about
};

/// A service for each of the plan's, in its order, then one for each of its checks' marks.
[[nodiscard]] std::vector<KeepalivedService> keepalived_services(Site const& site, Plan const& plan);

/// What can be refused before the lock is taken, so that nobody waits for it: a keepalived that runs with another file,
/// a file that lbc has not made, and a text that `keepalived -t` refuses. Whether there is a new text, which was
/// tested.
[[nodiscard]] std::expected<bool, SystemError> prepare_keepalived(Kernel& kernel, KeepalivedWanted const& wanted);

/// Reads the file and compares it. `is_tested`: as `prepare_keepalived` said; a file that was changed since is an
/// error. `owes_reload`: an earlier run may have ended between writing it and having it read.
[[nodiscard]] std::expected<KeepalivedPlan, SystemError> plan_keepalived(Kernel& kernel, KeepalivedWanted const& wanted,
                                                                         bool is_tested, bool owes_reload = false);

/// `now` is sorted by key. What IPVS does not show yet of what keepalived is to make of it, or still shows of `gone`;
/// empty where all is there.
[[nodiscard]] std::string not_shown(std::span<IpvsService const> now, std::span<KeepalivedService const> wanted,
                                    std::span<IpvsKey const> gone);

} // namespace lbc
