// Finds packets that are balanced twice, for all directors of a site together. Every packet that a director forwards to
// another is followed there, with the rules of both and with what IPVS may remember. A finding is the path of a packet,
// director by director.
#pragma once

#include "compiler/analysis/handoff.hpp"

#include <span>
#include <string>
#include <vector>

namespace lbc {

/// A director with the rules to examine: those of a layout, or of a dump.
struct DirectorRules {
    DirectorState const* state = nullptr;
    std::array<std::shared_ptr<RuleIndex const>, families.size()> rules;
};

/// A director on the path, and what it does.
struct Hop {
    std::string director;
    std::optional<MacAddress> source; // none: from a client or out of a tunnel
    Fwmark mark;                      // 0: none, or IPVS remembers the connection
    std::string service;              // whose real server is next; empty: delivered here
    IpAddress next;
    std::string next_director;
};

struct LoopPath {
    Fault fault{};
    std::string service;   // that forwards it first
    Packet packet;         // as a client sends it
    std::vector<Hop> hops; // the last one leads back to a director on the path, or delivers it
    bool goes_round = false;
};

/// One path for each pair of directors, fault and service, in the order of the directors. `work` is shared with the
/// directors' rules; once it is spent, some paths are missing.
[[nodiscard]] std::vector<LoopPath> find_loops(std::span<DirectorRules const> directors, Work& work);

/// The rules in each director's state. Refers to `states` and `work`.
[[nodiscard]] std::vector<DirectorRules> rules_of(DirectorStates const& states, Work& work);

/// "lb2 balances again what lb1 forwards to it: 192.0.2.1:80/tcp from 02:00:00:00:00:01"
[[nodiscard]] std::string title(LoopPath const& path);
/// A line for each hop.
[[nodiscard]] std::vector<std::string> lines_of(LoopPath const& path);

} // namespace lbc
