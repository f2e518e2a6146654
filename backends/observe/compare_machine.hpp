// Compares a director of the site with the machine that it is to be: its MACs, interfaces and addresses. Also finds
// which director a machine is.
#pragma once

#include "backends/observe/interfaces.hpp"
#include "compiler/site/site.hpp"
#include "grammar/diagnostic.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace lbc {

/// The director that a machine is: the one with its whole host name, else with the first label of it, else with one of
/// its MACs. VRRP's MACs do not count, since they move between directors.
[[nodiscard]] std::optional<DirectorId> find_director(Site const& site, std::string_view host_name,
                                                      std::vector<Interface> const& interfaces);

/// Reports each difference between the machine and the director's description, at the statement that has it
/// (`machine-…`). Reports none for a machine without interfaces: a real one has at least `lo`.
///
/// A MAC must be listed if other directors can see it in what this one forwards to them:
/// - on the interfaces that the site names for the director's clients and its VRRP instances, and
/// - if another director takes clients' packets from any interface, on those whose network has another director or a
///   `dr` real server.
///
/// For a bond, or a VLAN on one, the members' MACs count as well.
void report_machine(Site const& site, DirectorId director, std::string_view host_name,
                    std::vector<Interface> const& interfaces, Diagnostics& diagnostics);

/// Whether `report_machine` reports this diagnostic.
[[nodiscard]] bool is_about_machine(DiagId id);

/// Whether the marks of packets depend on what this diagnostic of `report_machine` is about.
[[nodiscard]] bool decides_marks(DiagId id);

} // namespace lbc
