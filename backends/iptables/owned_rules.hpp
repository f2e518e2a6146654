// What is lbc's in a table, from libiptc's copy of it (TableHandle) or from the kernel's own run of entries
// (TableBlob). Only for the sources of this folder.
#pragma once

#include "backends/iptables/table_blob.hpp"
#include "compiler/ruleset.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace lbc {

/// A rule of a built-in chain, by its number in it from 1.
struct PlacedHook {
    Hook hook;
    unsigned number = 0;
};

/// What was lbc's in a table, byte for byte, as libiptc takes it back.
struct RawChain {
    std::string name;
    xt::Bytes entries;
};
struct RawHook {
    std::string builtin;
    unsigned number = 0; // from 1
    xt::Bytes entry;
};
struct RawRules {
    std::vector<RawChain> chains; // sorted by name
    std::vector<RawHook> hooks;   // in order
};

/// The rules of built-in chains that lead into lbc's.
template <typename Table>
[[nodiscard]] std::vector<PlacedHook> placed_hooks(Table const& table);

/// All that is lbc's.
template <typename Table>
[[nodiscard]] Ruleset owned_rules(Table const& table);

/// The same of a run of entries, of which chains that are byte for byte what lbc writes for `wanted` are not read anew.
template <typename Tables>
[[nodiscard]] Ruleset owned_rules(TableBlob<Tables> const& table, Ruleset const& wanted);

/// The same as bytes. Nothing where a rule is malformed.
template <typename Table>
[[nodiscard]] std::optional<RawRules> raw_rules(Table const& table);

} // namespace lbc
