// The effect of a change on traffic. The input is two states of directors, and their two sites if there are two. The
// result is sentences that an operator understands without knowing a rule, and the classes of packets that are treated
// differently:
//
//     service web { vip 192.0.2.1; port tcp 80; real 10.0.0.1 }
//     service web { vip 192.0.2.1; port tcp 80, 443; real 10.0.0.1; real 10.0.0.2 }
//
// is "web: lb1, lb2: 192.0.2.1:443/tcp is now balanced (mark 0x3c)" and "web: lb1, lb2: real server 10.0.0.2 added,
// weight 1 of 2 (50 % of new connections)". Text that is only moved or written differently is no difference. A new name
// of a service is none either.
#pragma once

#include "compiler/analysis/compare.hpp"
#include "compiler/analysis/director_state.hpp"
#include "compiler/site/commands.hpp"

namespace lbc {

/// One difference, as a sentence.
struct Change {
    enum class Kind : std::uint8_t {
        balanced,      // packets that were not balanced are
        not_balanced,  // the reverse
        moved,         // packets go to another virtual service
        mark,          // the same service has another mark
        peer,          // packets with certain source MACs
        guard,         // the fate of packets from peers that IPVS remembers
        unknown,       // packets that meet a rule unknown to lbc
        service_added, // a virtual service
        service_removed,
        service_changed,
        real_added,
        real_removed,
        real_changed,
        checks,   // health checks, quorum, sorry servers and notices
        director, // the statements of a director
        vrrp,
        sync,
        setting, // the guard, who programs IPVS, the range of marks
    };

    Kind kind{};
    std::string subject;                // "service web", "director lb3", "vrrp vi1", "site"
    std::vector<std::string> directors; // where it happens; empty: at no director in particular
    std::string text;                   // "192.0.2.1:443/tcp is now balanced (mark 0x3c)"
    std::string connections;            // the effect on established ones; empty: another sentence states it
    bool disruptive = false;            // some of them break, or traffic is at risk
};

[[nodiscard]] std::string_view to_string(Change::Kind kind);

/// A command that directors begin to run, no longer run, or run instead of another one; or a file that they open.
struct RunChange {
    struct Run {
        std::string user;
        std::string command; // or the file's path

        friend auto operator<=>(Run const&, Run const&) = default;
    };

    SiteCommand::Kind kind{};
    std::string subject;            // "service web", "vrrp public", "virtual_server fwmark 3"
    std::string place;              // "notify-up of real server lb2 (10.0.0.2)"
    std::vector<std::string> reals; // that it belongs to; none: to the subject itself
    std::vector<std::string> directors;
    std::optional<Run> before; // at least one of both is set
    std::optional<Run> after;
};

/// Pairs the runs at one place: the first new one replaces the first that is gone, and so on.
using ReplacedRun = std::pair<std::optional<RunChange::Run>, std::optional<RunChange::Run>>;
[[nodiscard]] std::vector<ReplacedRun> replaced_runs(std::vector<RunChange::Run> const& was,
                                                     std::vector<RunChange::Run> const& is);

/// "runs as root: lb1, lb2: service web, notify-up of real server lb2 (10.0.0.2): new command"
[[nodiscard]] std::string sentence(RunChange const& change);
/// The old and the new command, each after its sign: "- /usr/local/bin/up web", "+ /usr/local/bin/up web (as nobody)".
[[nodiscard]] std::vector<std::string> run_lines(RunChange const& change);

/// The packets that one director treats differently.
struct DirectorTraffic {
    std::string director;
    std::vector<MarkChange> changes; // IPv4 before IPv6, by destination
};

struct Difference {
    std::vector<Change> changes;          // by subject: services in the order of the source, directors, vrrp, site
    std::vector<RunChange> runs;          // likewise
    std::vector<DirectorTraffic> traffic; // only of directors with changes
    std::map<std::string, std::string> renamed; // services with a new name: old to new

    [[nodiscard]] bool empty() const { return changes.empty() && runs.empty() && traffic.empty(); }
    [[nodiscard]] std::size_t disruptive() const;
    /// Drops what happens only on other directors.
    void keep_only(std::string const& director);
};

/// One side of a comparison.
struct Side {
    DirectorStates directors;
    Site const* site = nullptr; // null: a kernel, or the state that a kernel is compared with
    std::string only;           // the one director to compare, if a kernel is; empty: all
    bool keepalived = false;    // keepalived programs IPVS, so nothing drains real servers
};

/// One director on both sides. If a side lacks it, its state there is `empty_state()`.
struct DirectorPair {
    std::string name; // of `after` if that has it
    DirectorState const* before = nullptr;
    DirectorState const* after = nullptr;

    [[nodiscard]] bool joins() const { return before == &empty_state(); }
    [[nodiscard]] bool leaves() const { return after == &empty_state(); }
};

/// Pairs the directors of both sides: first those with one name, then, of the rest, those that share a MAC or an
/// address, since that is one box with a new name. In the order of `after`, then those that leave.
[[nodiscard]] std::vector<DirectorPair> pair_directors(Side const& before, Side const& after);

/// The differences from `before` to `after`.
[[nodiscard]] Difference compare(Side const& before, Side const& after);

} // namespace lbc
