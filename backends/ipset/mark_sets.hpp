// The kernel's sets of marks, as an interface, so that a test can replace them.
#pragma once

#include "backends/os/system_error.hpp"
#include "compiler/rules/mark_set.hpp"

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

namespace lbc {

/// The kernel's sets from which rules take marks, in this network namespace.
class MarkSets {
public:
    MarkSets() = default;
    MarkSets(MarkSets const&) = delete;
    MarkSets& operator=(MarkSets const&) = delete;
    virtual ~MarkSets() = default;

    /// The own sets of one family, identified by name and sorted by name, including those that no rule uses. Loads no
    /// module.
    [[nodiscard]] virtual std::expected<std::vector<MarkSet>, SystemError> read_sets(Family family) = 0;

    /// Creates a set with these entries, at least one. If a set of this name exists, a full staging set replaces it in
    /// one kernel call: a packet meets the old entries or the new ones. On an error nothing was changed.
    [[nodiscard]] virtual std::expected<void, SystemError> write_set(MarkSet const& set) = 0;

    /// Destroys a set that no rule uses. A set that does not exist is no error.
    [[nodiscard]] virtual std::expected<void, SystemError> destroy_set(std::string const& name) = 0;

    /// Number of rules and sets of sets, own or foreign, that use a set; 0 if it does not exist.
    [[nodiscard]] virtual std::expected<std::size_t, SystemError> count_set_uses(std::string const& name) = 0;
};

} // namespace lbc
