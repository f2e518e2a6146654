// The path of one packet that `lbc trace` follows, and its two output forms.
#pragma once

#include "compiler/analysis/loops.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// A rule that the packet reached.
struct TracedRule {
    std::string table;
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string rule;
    TraceStep::Match match{};
    std::string why_not; // why it does not match
    int depth = 0;
    bool is_own = false;
    std::optional<Fwmark> mark; // of the packet after it, if known

    [[nodiscard]] bool is_same_rule(TracedRule const& other) const {
        return table == other.table && chain == other.chain && number == other.number && depth == other.depth;
    }
};

/// A real server to which a director can send the packet.
struct Candidate {
    Destination real;
    std::string share;    // "weight 1 of 2 (50 % of new connections)"
    std::string director; // that is the real server; empty: none
    bool is_here = false;
};

/// How one director treats the packet.
struct TraceHop {
    std::string director;
    std::string from;          // "a client", "lb1", "lb1, through a tunnel"
    bool is_forwarded = false; // by a director, which has balanced it
    Direction direction = Direction::entering;
    Packet packet;
    std::string rules; // their source: "as compiled", "of the kernel", a file
    std::vector<TracedRule> steps;
    Outcomes outcomes;
    std::string service; // empty: it is not balanced
    std::string scheduler;
    std::vector<Candidate> candidates;
};

struct TraceReport {
    std::vector<TraceHop> hops; // first that of the first director, then those that follow
    Fwmark guard_mark;
    bool goes_round = false; // the packet comes back to a director that has balanced it
};

[[nodiscard]] std::string trace_text(TraceReport const& report, bool every_rule, bool colour);
/// docs/schema/trace.schema.json
[[nodiscard]] std::string trace_json(TraceReport const& report);

} // namespace lbc
