// The parts of `compare`: each makes the sentences of one kind of difference. Private to this folder.
#pragma once

#include "compiler/diff/diff.hpp"
#include "compiler/proof/wording.hpp"

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
    std::map<std::string, std::string> renamed; // see Difference

    /// The name by which a service that was there goes on.
    [[nodiscard]] std::string const& name_of(NamedService const& old) const;
    [[nodiscard]] std::vector<ServicePair> services(DirectorPair const& director) const;
    /// "lb2" or "lb2 (10.0.0.2)" for a director's address, else the address and port.
    [[nodiscard]] std::string name_of(IpAddress const& address, Port port) const;
    /// The director that a MAC is, or was; empty: nobody's.
    [[nodiscard]] std::string owner_of(MacAddress const& mac) const;
    /// What a director of the site before is called now, or was.
    [[nodiscard]] std::string director_name(std::string const& old) const;
    [[nodiscard]] std::vector<std::string> director_names() const;
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

/// Instances of both sites: those of one name, then those that are one on the wire; null where a site lacks it.
[[nodiscard]] std::vector<std::pair<Vrrp const*, Vrrp const*>> pair_instances(Site const& before, Site const& after);

/// Words about what is on one side alone: "added a, b; removed c".
[[nodiscard]] std::string added_and_removed(std::vector<std::string> before, std::vector<std::string> after);
/// Whether both sites run the same sync daemon, bound to the same instance whatever it is called.
[[nodiscard]] bool is_same_sync(Site const& before, Site const& after);

using ChangeList = std::vector<Change>;

/// Gives the services that packets no longer go to, of which a sentence says what becomes of connections.
std::set<ServiceKey> add_traffic_lines(Comparison const& all, DirectorPair const& director,
                                       std::vector<MarkChange> const& traffic, ChangeList& out);
void add_service_lines(Comparison const& all, DirectorPair const& director, std::set<ServiceKey> const& told,
                       ChangeList& out);
void add_check_lines(Comparison const& all, ChangeList& out);
void add_director_lines(Comparison const& all, ChangeList& out);
void add_vrrp_lines(Comparison const& all, ChangeList& out);
void add_setting_lines(Comparison const& all, ChangeList& out);
[[nodiscard]] std::vector<RunChange> run_changes(Comparison const& all);

} // namespace lbc
