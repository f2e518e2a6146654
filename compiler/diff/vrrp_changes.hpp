// The behaviour of an instance's directors while some have the old site and some the new one, as observed with
// keepalived 2.2.7 (tests/keepalived/vrrp_changes.py). Private to this folder.
#pragma once

#include "compiler/diff/lines.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// A value that must be the same on two directors. keepalived ignores advertisements with another one, so each director
/// becomes master.
struct Unlike {
    std::string what;
    std::string before;
    std::string after;
    bool restarts =
        false; // keepalived restarts the instance: its VIPs leave the master for a few advertisement intervals
};

/// In a fixed order; empty if the directors hear each other throughout.
[[nodiscard]] std::vector<Unlike> unlike(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// Whether `virtual-mac` changes and keepalived, on a reload, does not move the VIPs to their new interface. That
/// happens with unicast.
[[nodiscard]] bool is_stuck(Vrrp const& before, Vrrp const& after);

/// The directors of an instance: the name in the new site, and the priority that is advertised while every tracked
/// script succeeds.
using Ranks = std::vector<std::pair<std::string, int>>;
[[nodiscard]] Ranks ranks(Comparison const& all, Vrrp const& vrrp, Site const& site);
/// The first director with the highest priority; empty: there is none.
[[nodiscard]] std::string master_of(Ranks const& ranks);

/// Directors that can take the VIPs from the master for a while, although the master is to keep them.
struct Detour {
    std::string master;
    std::vector<std::string> behind;   // that must be changed after the master
    std::vector<std::string> in_front; // that must be changed before the master
};
[[nodiscard]] Detour detour(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// A VIP that moves from another instance.
struct MovedVip {
    std::string address;
    std::string instance;  // the former one
    std::string from;      // the former master
    std::string to;        // the master now
    bool to_new = false;   // its instance is new: the first director that has it becomes master there
    bool from_old = false; // the former instance ends: another director becomes master there once the master lacks it

    /// Whether two directors may hold it while some have the old site.
    [[nodiscard]] bool may_be_on_two() const { return from != to || to_new || from_old; }
};
/// Keyed by the instance that carries them now.
[[nodiscard]] std::map<Vrrp const*, std::vector<MovedVip>> moved_vips(Comparison const& all);

/// With unicast, a director that joins or leaves hears only the directors whose site contains it.
struct UnicastPeers {
    std::vector<std::string> joining;
    std::vector<std::string> leaving;
};
[[nodiscard]] UnicastPeers unicast_peers(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// Instructions for a change of instances, one sentence for all that need the same: "vrrp public, internal: change lb1
/// before lb2".
[[nodiscard]] std::vector<std::string> vrrp_steps(Comparison const& all);

} // namespace lbc
