// Whether any packet is balanced twice: every packet that a director forwards to another is followed there, by the
// rules of both and by what IPVS may remember, for all directors of a site together. What is found is the path of a
// packet, director by director.
#pragma once

#include "compiler/proof/meeting.hpp"

#include <span>
#include <string>
#include <vector>

namespace lbc {

/// A director with the rules that are asked: those of a layout, or of a dump.
struct DirectorRules {
    DirectorState const* state = nullptr;
    std::array<std::shared_ptr<RuleIndex const>, families.size()> rules;
};

/// A director on the path, and what it does.
struct Hop {
    std::string director;
    std::optional<MacAddress> source; // none: a client's, or out of a tunnel
    Fwmark mark;                      // 0: it is remembered
    std::string service;              // whose real server is next
    IpAddress next;
    std::string next_director;
};

struct LoopPath {
    Fault fault{};
    std::string service;   // that sends it on first
    Packet packet;         // as a client sends it
    std::vector<Hop> hops; // the last one leads to a director that is on the path, or delivers it
    bool goes_round = false;
};

/// One path for each pair of directors, kind of fault and service. Sorted as the directors are. `work` is what the
/// directors' rules count in; once it is spent, some are missing.
[[nodiscard]] std::vector<LoopPath> find_loops(std::span<DirectorRules const> directors, Work& work);

/// The rules that a layout gives each director. Refers to `states` and `work`.
[[nodiscard]] std::vector<DirectorRules> rules_of(DirectorStates const& states, Work& work);

/// "lb2 balances again what lb1 forwards to it: 192.0.2.1:80/tcp from 02:00:00:00:00:01"
[[nodiscard]] std::string title(LoopPath const& path);
/// A line for each hop.
[[nodiscard]] std::vector<std::string> lines_of(LoopPath const& path);

} // namespace lbc
