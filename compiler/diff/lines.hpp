// The parts of `compare`: each makes the sentences of one kind of difference. Private to this folder.
#pragma once

#include "compiler/diff/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lbc {

template <typename T>
[[nodiscard]] bool contains(std::vector<T> const& list, T const& item) {
    return std::ranges::find(list, item) != list.end();
}

/// One director, before and after; where it is missing, a state with nothing in it.
struct DirectorPair {
    std::string name;
    DirectorState const* before = nullptr;
    DirectorState const* after = nullptr;
};

/// A service of one family, before and after; null where it is missing.
struct ServicePair {
    NamedService const* before = nullptr;
    NamedService const* after = nullptr;

    [[nodiscard]] bool in_place() const { return before->key() == after->key(); }
};

/// What all parts know.
struct Comparison {
    Side const& before;
    Side const& after;
    std::vector<DirectorPair> directors;
    std::map<std::string, std::string> renamed; // names of services before, to their names after, where both exist

    /// The name by which a service that was there goes on.
    [[nodiscard]] std::string const& name_of(NamedService const& old) const;
    [[nodiscard]] std::vector<ServicePair> services(DirectorPair const& director) const;
    /// "lb2" or "lb2 (10.0.0.2)" for a director's address, else the address and port.
    [[nodiscard]] std::string name_of(IpAddress const& address, Port port) const;
    /// The director that a MAC is, or was; empty: nobody's.
    [[nodiscard]] std::string owner_of(MacAddress const& mac) const;
};

/// What becomes of established connections of a service that packets no longer go to.
struct Fate {
    std::string text;
    bool breaks = false;
};
[[nodiscard]] Fate fate_of(NamedService const& before, DirectorState const& after);

/// "its 1,204 established connections", or "its established connections" where nobody counts them.
[[nodiscard]] std::string established(NamedService const& service);
/// 1204 is "1,204".
[[nodiscard]] std::string grouped(std::uint64_t number);
[[nodiscard]] std::string to_string(Forwarding const& forwarding);

/// The first few, and how many more there are.
[[nodiscard]] std::string list_of(std::vector<std::string> const& items);

using Changes = std::vector<Change>;

void add_traffic_lines(Comparison const& all, DirectorPair const& director, std::vector<MarkChange> const& traffic,
                       Changes& out);
void add_service_lines(Comparison const& all, DirectorPair const& director, Changes& out);
void add_check_lines(Comparison const& all, Changes& out);
void add_director_lines(Comparison const& all, Changes& out);
void add_vrrp_lines(Comparison const& all, Changes& out);
void add_setting_lines(Comparison const& all, Changes& out);

} // namespace lbc
