// What an instance's directors do while some have the old site and some the new one, as keepalived 2.2.7 does it
// (tests/keepalived/vrrp_changes.py). Private to this folder.
#pragma once

#include "compiler/diff/lines.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lbc {

/// What two directors must have alike. keepalived ignores advertisements that say otherwise, and each becomes master.
struct Unlike {
    std::string what;
    std::string before;
    std::string after;
    bool restarts =
        false; // keepalived starts the instance anew: its VIPs leave the master for some advertisements' time
};

/// In a fixed order; none where the directors hear each other throughout.
[[nodiscard]] std::vector<Unlike> unlike(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// Whether `virtual-mac` changes and keepalived, which reads its file again, does not move the VIPs to their new
/// interface: so it is by unicast.
[[nodiscard]] bool is_stuck(Vrrp const& before, Vrrp const& after);

/// The name that a director of an instance has in the site after, and the priority that it advertises while every
/// tracked script succeeds.
using Ranks = std::vector<std::pair<std::string, int>>;
[[nodiscard]] Ranks ranks(Comparison const& all, Vrrp const& vrrp, Site const& site);
/// The first of the highest; empty: there is none.
[[nodiscard]] std::string master_of(Ranks const& ranks);

/// Directors of which one takes the VIPs from the master for a while, though it is to keep them.
struct Detour {
    std::string master;
    std::vector<std::string> behind;   // that the master must be changed before
    std::vector<std::string> in_front; // that must be changed before the master
};
[[nodiscard]] Detour detour(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// A VIP that another instance carried before, whose master was another director.
struct MovedVip {
    std::string address;
    std::string instance; // the former one
    std::string from;     // the master of it
    std::string to;       // the master now
};
/// By the instance that carries them now.
[[nodiscard]] std::map<Vrrp const*, std::vector<MovedVip>> moved_vips(Comparison const& all);

/// By unicast, a director that joins or leaves is spoken to by those alone that have the site in which it is.
struct UnicastPeers {
    std::vector<std::string> joining;
    std::vector<std::string> leaving;
};
[[nodiscard]] UnicastPeers unicast_peers(Comparison const& all, Vrrp const& before, Vrrp const& after);

/// What to do for a change of instances, a sentence for each way: "vrrp public, internal: change lb1 before lb2".
[[nodiscard]] std::vector<std::string> vrrp_steps(Comparison const& all);

} // namespace lbc
