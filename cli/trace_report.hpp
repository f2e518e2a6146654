// The way of one packet, as `lbc trace` has followed it, and its two forms.
#pragma once

#include "compiler/proof/loops.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// A rule that the packet came to.
struct TracedRule {
    std::string table;
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string rule;
    TraceStep::Match match{};
    std::string why_not; // it does not match
    int depth = 0;
    bool is_own = false;
    std::optional<Fwmark> mark; // that the packet has behind it, where that is known

    [[nodiscard]] bool is_same_rule(TracedRule const& other) const {
        return table == other.table && chain == other.chain && number == other.number && depth == other.depth;
    }
};

/// Where a packet can go to from a director.
struct Candidate {
    Destination real;
    std::string share;    // "weight 1 of 2 (50 % of new connections)"
    std::string director; // that it is; empty: none
    bool is_here = false;
};

/// What one director does with the packet.
struct TraceHop {
    std::string director;
    std::string from;          // "a client", "lb1", "lb1, through a tunnel"
    bool is_forwarded = false; // by a director, which has balanced it
    Direction direction = Direction::entering;
    Packet packet;
    std::string rules; // whose they are: "as compiled", "of the kernel", a file
    std::vector<TracedRule> steps;
    Outcomes outcomes;
    std::string service; // empty: it is not balanced
    std::string scheduler;
    std::vector<Candidate> candidates;
};

struct TraceReport {
    std::vector<TraceHop> hops; // the first director's, then those that it leads to
    Fwmark guard_mark;
    bool goes_round = false; // a director gets the packet from one that it has sent it to
};

[[nodiscard]] std::string trace_text(TraceReport const& report, bool every_rule, bool colour);
/// docs/schema/trace.schema.json
[[nodiscard]] std::string trace_json(TraceReport const& report);

} // namespace lbc
