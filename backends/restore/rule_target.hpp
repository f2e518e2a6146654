// Reads the target of a rule, from `-j` or `-g` to its last option, given as words: what it does to a packet and its
// mark, according to the kernel's xt_*.c. A target whose effect is not certain becomes an UnknownTarget.
#pragma once

#include "backends/restore/rule_words.hpp"
#include "compiler/rules/ruleset.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace lbc {

/// The chains of a table by name, including built-in chains, each with its index in a Ruleset.
using ChainNames = std::map<std::string, std::size_t, std::less<>>;

struct TableNames {
    std::string_view table;
    ChainNames chains;
};

/// The tables of iptables, and the chains that the kernel has in each: "mangle" has "PREROUTING".
[[nodiscard]] bool is_table(std::string_view table);
[[nodiscard]] bool is_builtin_chain(std::string_view table, std::string_view chain);

/// `target` is the name with its options. Example: MARK --set-xmark 0x3/0xffffffff
[[nodiscard]] Target read_target_words(Words target, bool is_goto, TableNames const& names);

} // namespace lbc
