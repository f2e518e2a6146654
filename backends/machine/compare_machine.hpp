// What a site file says of a director beside the machine that it is to be: its MACs, its interfaces, its addresses, and
// which director the machine is.
#pragma once

#include "backends/machine/interfaces.hpp"
#include "compiler/site.hpp"
#include "grammar/diagnostic.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace lbc {

/// The director that a machine is: by its whole host name, else by the first label of it, else by a MAC, of which
/// VRRP's do not count, since they move between directors.
[[nodiscard]] std::optional<DirectorId> find_director(Site const& site, std::string_view host_name,
                                                      std::vector<Interface> const& interfaces);

/// Reports each way in which the machine is not what the site says of the director, at the statement that says it
/// (`machine-…`). Nothing is reported of a machine without interfaces: each has `lo` at least.
///
/// A MAC is to be listed where other directors can meet it in what this one forwards to them:
/// - on the interfaces that the site names for the director's clients and its VRRP instances, and
/// - where another director takes clients' packets from any interface, on those whose network has another director or a
///   real server by `dr` in it.
/// Of a bond, or a VLAN on one, the members' MACs count as well.
void report_machine(Site const& site, DirectorId director, std::string_view host_name,
                    std::vector<Interface> const& interfaces, Diagnostics& diagnostics);

/// Whether a message is one of `report_machine`.
[[nodiscard]] bool is_about_machine(DiagId id);

/// Whether the marks that packets get depend on what a message of `report_machine` is about.
[[nodiscard]] bool decides_marks(DiagId id);

} // namespace lbc
