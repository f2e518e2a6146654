// Finds the own rules of a table, in libiptc's copy (TableHandle) or in the kernel's entry blob (TableBlob). Only for
// the sources of this folder.
#pragma once

#include "backends/iptables/table_blob.hpp"
#include "compiler/rules/ruleset.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace lbc {

/// An entry jump, with its rule number in the built-in chain, from 1.
struct PlacedEntryJump {
    EntryJump hook;
    unsigned number = 0;
};

/// The own rules of a table as bytes that libiptc accepts.
struct RawChain {
    std::string name;
    xt::Bytes entries;
};
struct RawEntryJump {
    std::string builtin;
    unsigned number = 0; // from 1
    xt::Bytes entry;
};
struct RawRules {
    std::vector<RawChain> chains;          // sorted by name
    std::vector<RawEntryJump> entry_jumps; // in order
};

/// The entry jumps: rules of built-in chains that lead to own chains.
template <typename Table>
[[nodiscard]] std::vector<PlacedEntryJump> placed_entry_jumps(Table const& table);

/// All own rules.
template <typename Table>
[[nodiscard]] Ruleset owned_rules(Table const& table);

/// All own rules of an entry blob. A chain that is byte for byte what lbc writes for `wanted` is copied from `wanted`.
template <typename Tables>
[[nodiscard]] Ruleset owned_rules(TableBlob<Tables> const& table, Ruleset const& wanted);

/// All own rules as bytes. None if one is malformed.
template <typename Table>
[[nodiscard]] std::optional<RawRules> raw_rules(Table const& table);

} // namespace lbc
