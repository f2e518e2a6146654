// The words of the kernel's netlink protocol for sets (ip_set.h, protocol 6, which every kernel since 2.6.39 takes):
// what requests hold, and what lists of sets say.
#pragma once

#include "backends/netlink/attributes.hpp"
#include "compiler/mark_set.hpp"

#include <span>
#include <string>
#include <vector>

namespace lbc {

/// How many entries one message takes: an attribute is shorter than 64 KiB.
inline constexpr std::size_t most_entries_at_once = 1000;
inline constexpr std::size_t ipset_message_size = std::size_t{1} << 17U;

/// Slots of a set's table, and what it holds at most.
struct SetSize {
    std::uint32_t slots = 0;
    std::uint32_t most = 0;
};
[[nodiscard]] SetSize size_of_set(std::size_t entries);

// Each puts a request's attributes into the message; false where they do not fit.
[[nodiscard]] bool put_names_request(nl_msg* message);                         // lists the names of all sets
[[nodiscard]] bool put_head_request(nl_msg* message, std::string const& name); // lists a set without its entries
[[nodiscard]] bool put_set(nl_msg* message, std::string const& name);
[[nodiscard]] bool put_sets(nl_msg* message, std::string const& name, std::string const& other);
[[nodiscard]] bool put_new_set(nl_msg* message, std::string const& name, Family family, SetSize size);
[[nodiscard]] bool put_entries(nl_msg* message, std::string const& name, std::span<SetEntry const> entries);

/// The set that a message of a list is about; empty where it does not say.
[[nodiscard]] std::string name_in(nlattr* attributes, int length);
/// How many rules and sets use it.
[[nodiscard]] std::size_t uses_in(nlattr* attributes, int length);
/// Adds the entries that a message of a list has. One that lbc has no words for makes none of its own equal.
void add_entries_in(nlattr* attributes, int length, Family family, std::vector<SetEntry>& entries);

} // namespace lbc
