// What a change does to traffic. From two states of directors, and the two sites where there are two, to sentences that
// an operator reads without knowing a rule, and to the classes of packets that are treated otherwise than before:
//
//     service web { vip 192.0.2.1; port tcp 80; real 10.0.0.1 }
//     service web { vip 192.0.2.1; port tcp 80, 443; real 10.0.0.1; real 10.0.0.2 }
//
// is "web: lb1, lb2: 192.0.2.1:443/tcp is now balanced (mark 0x3c)" and "web: lb1, lb2: real server 10.0.0.2 added,
// weight 1 of 2 (50 % of new connections)". What is only moved or written otherwise is no
// difference, nor is another name of a service.
#pragma once

#include "compiler/commands.hpp"
#include "compiler/proof/comparison.hpp"
#include "compiler/proof/state.hpp"

namespace lbc {

/// One sentence.
struct Change {
    enum class Kind : std::uint8_t {
        balanced,      // packets that were not balanced are
        not_balanced,  // the reverse
        moved,         // packets go to another virtual service
        mark,          // the same service has another mark
        peer,          // packets with certain source MACs
        guard,         // what becomes of packets from peers that IPVS remembers
        unknown,       // packets that meet a rule which lbc does not understand
        service_added, // a virtual service
        service_removed,
        service_changed,
        real_added,
        real_removed,
        real_changed,
        checks,   // health checks, quorum, sorry servers and notices
        director, // what the site says of a director
        vrrp,
        sync,
        setting, // the guard, who programs IPVS, the range of marks
    };

    Kind kind{};
    std::string subject;                // "service web", "director lb3", "vrrp vi1", "site"
    std::vector<std::string> directors; // where it happens; empty: it is none's own
    std::string text;                   // "192.0.2.1:443/tcp is now balanced (mark 0x3c)"
    std::string connections;            // what becomes of established ones; empty: another sentence says it
    bool disruptive = false;            // some of them break, or traffic is at risk
};

[[nodiscard]] std::string_view to_string(Change::Kind kind);

/// A command that directors run from now on, or no longer, or in another's place; or a file that they open.
struct RunChange {
    struct Run {
        std::string user;
        std::string command; // or the file's path

        friend auto operator<=>(Run const&, Run const&) = default;
    };

    SiteCommand::Kind kind{};
    std::string subject;            // "service web", "vrrp public", "virtual_server fwmark 3"
    std::string place;              // "notify-up of real server lb2 (10.0.0.2)"
    std::vector<std::string> reals; // that it is of; none: the subject's own
    std::vector<std::string> directors;
    std::optional<Run> before; // one of both at least
    std::optional<Run> after;
};

/// Of the runs at one place: what took whose place, the first that is new that of the first that is gone, and so on.
using ReplacedRun = std::pair<std::optional<RunChange::Run>, std::optional<RunChange::Run>>;
[[nodiscard]] std::vector<ReplacedRun> replaced_runs(std::vector<RunChange::Run> const& was,
                                                     std::vector<RunChange::Run> const& is);

/// "runs as root: lb1, lb2: service web, notify-up of real server lb2 (10.0.0.2): new command"
[[nodiscard]] std::string sentence(RunChange const& change);
/// What ran and what runs, each behind its sign: "- /usr/local/bin/up web", "+ /usr/local/bin/up web (as nobody)".
[[nodiscard]] std::vector<std::string> run_lines(RunChange const& change);

/// Where a director's packets are treated otherwise.
struct DirectorTraffic {
    std::string director;
    std::vector<MarkChange> changes; // IPv4 before IPv6, by destination
};

struct Difference {
    std::vector<Change> changes;          // by subject: services in the order of the source, directors, vrrp, site
    std::vector<RunChange> runs;          // likewise
    std::vector<DirectorTraffic> traffic; // of directors that have some
    std::map<std::string, std::string> renamed; // services that are there by another name: old to new

    [[nodiscard]] bool empty() const { return changes.empty() && runs.empty() && traffic.empty(); }
    [[nodiscard]] std::size_t disruptive() const;
    /// Leaves out what happens on other directors alone.
    void keep_only(std::string const& director);
};

/// One side of a comparison.
struct Side {
    DirectorStates directors;
    Site const* site = nullptr; // null: a kernel's, or what a kernel is compared with
    std::string only;           // the one director that is compared, whose kernel it is; empty: all
    bool keepalived = false;    // keepalived programs IPVS, so nothing drains real servers
};

/// One director on both sides. Where a side lacks it, its state there is `empty_state()`.
struct DirectorPair {
    std::string name; // of `after` where that has it
    DirectorState const* before = nullptr;
    DirectorState const* after = nullptr;

    [[nodiscard]] bool joins() const { return before == &empty_state(); }
    [[nodiscard]] bool leaves() const { return after == &empty_state(); }
};

/// Directors of both sides: those of one name, then, of what is left, those that share a MAC or an address, which are
/// one box with another name. In the order of `after`, then those that leave.
[[nodiscard]] std::vector<DirectorPair> pair_directors(Side const& before, Side const& after);

/// What leads from `before` to `after`.
[[nodiscard]] Difference compare(Side const& before, Side const& after);

} // namespace lbc
