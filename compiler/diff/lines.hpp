// The parts of `compare`: each makes the sentences of one kind of difference. Private to this folder.
#pragma once

#include "compiler/analysis/wording.hpp"
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

/// A service of one family, before and after; null if it is missing.
struct ServicePair {
    NamedService const* before = nullptr;
    NamedService const* after = nullptr;

    [[nodiscard]] bool in_place() const { return before->key() == after->key(); }
};

/// The input of all parts.
struct Comparison {
    Side const& before;
    Side const& after;
    std::vector<DirectorPair> directors;
    std::map<std::string, std::string> renamed; // see Difference

    /// The name of an old service after the change.
    [[nodiscard]] std::string const& name_of(NamedService const& old) const;
    [[nodiscard]] std::vector<ServicePair> services(DirectorPair const& director) const;
    /// "lb2" or "lb2 (10.0.0.2)" for a director's address, else the address and port.
    [[nodiscard]] std::string name_of(IpAddress const& address, Port port) const;
    /// The director that has or had a MAC; empty: none.
    [[nodiscard]] std::string owner_of(MacAddress const& mac) const;
    /// The new name of a director of the old site; its old name if it leaves.
    [[nodiscard]] std::string director_name(std::string const& old) const;
    [[nodiscard]] std::vector<std::string> director_names() const;
};

/// The fate of established connections of a service that packets no longer reach.
struct Fate {
    std::string text;
    bool breaks = false;
};
[[nodiscard]] Fate fate_of(NamedService const& before, DirectorState const& after);

/// "its 1,204 established connections", or "its established connections" if they are not counted.
[[nodiscard]] std::string established(NamedService const& service);
/// 1204 is "1,204".
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Pairs the instances of both sites: those with one name, then those that are one on the wire; null if a site lacks
/// it.
[[nodiscard]] std::vector<std::pair<Vrrp const*, Vrrp const*>> pair_instances(Site const& before, Site const& after);

/// The items that are on one side only: "added a, b; removed c".
[[nodiscard]] std::string added_and_removed(std::vector<std::string> before, std::vector<std::string> after);
/// Whether both sites run the same sync daemon, bound to the same instance. The instance may have a new name.
[[nodiscard]] bool is_same_sync(Site const& before, Site const& after);

using ChangeList = std::vector<Change>;

/// Returns the services that packets no longer reach and for which a sentence states the fate of connections.
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
