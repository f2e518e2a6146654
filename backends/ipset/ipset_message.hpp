// ipset netlink message codec (ip_set.h, protocol 6, which every kernel since 2.6.39 takes): attributes of requests,
// and lists of sets.
#pragma once

#include "backends/netlink/attributes.hpp"
#include "compiler/rules/mark_set.hpp"

#include <span>
#include <string>
#include <vector>

namespace lbc {

/// Entries per message: a netlink attribute is shorter than 64 KiB.
inline constexpr std::size_t most_entries_at_once = 1000;
inline constexpr std::size_t ipset_message_size = std::size_t{1} << 17U;

/// Hash slots of a set, and the most entries it can hold.
struct SetSize {
    std::uint32_t slots = 0;
    std::uint32_t most = 0;
};
[[nodiscard]] SetSize size_of_set(std::size_t entries);

// Each appends a request's attributes to the message; false if they do not fit.
[[nodiscard]] bool put_names_request(nl_msg* message);                         // lists the names of all sets
[[nodiscard]] bool put_head_request(nl_msg* message, std::string const& name); // lists a set without its entries
[[nodiscard]] bool put_set(nl_msg* message, std::string const& name);
[[nodiscard]] bool put_sets(nl_msg* message, std::string const& name, std::string const& other);
[[nodiscard]] bool put_new_set(nl_msg* message, std::string const& name, Family family, SetSize size);
[[nodiscard]] bool put_entries(nl_msg* message, std::string const& name, std::span<SetEntry const> entries);

/// The name of the set that a list message describes; empty if it has none.
[[nodiscard]] std::string name_in(nlattr* attributes, int length);
/// The number of rules and sets that use it.
[[nodiscard]] std::size_t uses_in(nlattr* attributes, int length);
/// Adds the entries of a list message. An entry that lbc cannot represent, or another set type, becomes an entry that
/// equals no own entry.
void add_entries_in(nlattr* attributes, int length, Family family, std::vector<SetEntry>& entries);

} // namespace lbc
