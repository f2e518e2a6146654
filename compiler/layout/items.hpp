// What the chains of every layout have to say, before it is put in an order. Private to this folder.
#pragma once

#include "compiler/plan.hpp"
#include "compiler/ruleset.hpp"

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace lbc {

/// Something to say of packets for one destination, protocol and list of ports: one rule or several. All of a chain may
/// be said in any order but where destinations overlap, which keeps the order of the list.
struct Item {
    enum class Says : std::uint8_t {
        mark,   // the class's mark, unless the packet is from one of its bypass MACs
        peer,   // the guard's mark
        own,    // the class's mark, of what the director itself sends
        local,  // mark 0
        drop,   // what IPVS remembers goes no further
        tunnel, // the same of what a tunnel's end is for
    };
    Says says = Says::mark;
    Prefix destination;
    std::uint8_t protocol = 0;        // IP protocol number; 0: any
    std::span<PortRange const> ports; // sorted, none touching the next; none: any; somebody else's
    MarkClass const* of = nullptr;    // null: a tunnel's end
};

/// Ports of items that are not just a class's. What is in it stays where it is.
using PortLists = std::deque<std::vector<PortRange>>;

/// A chain as every layout begins it, and what is still to be said in it. The same may be said several times, of
/// services on different interfaces.
struct Part {
    std::vector<Rule> lead;
    std::vector<Item> items;
    std::vector<Item> said; // by sets that the lead asks

    [[nodiscard]] bool empty() const { return lead.empty() && items.empty(); }
};

/// The four chains of one family; those that are empty are not needed.
struct Parts {
    Part marks;  // marks_chain
    Part peers;  // peers_chain
    Part output; // output_chain
    Part guard;  // guard_chain
    PortLists ports;
};

/// Refers to the table.
[[nodiscard]] Parts parts_of(MarkTable const& table, Family family);

/// Words items as rules.
class RuleWriter {
public:
    RuleWriter(Site const& site, MarkTable const& table)
        : site_(&site), guard_(table.guard ? &*table.guard : nullptr) {}

    /// How many rules an item makes.
    [[nodiscard]] static std::size_t count(Item const& item);
    void append(Item const& item, std::vector<Rule>& rules) const;

private:
    void append(Item const& item, Matches when, std::vector<Rule>& rules) const;
    [[nodiscard]] std::string comment_of(Item const& item) const;

    Site const* site_;
    Guard const* guard_;
};

/// The rules that lead from the built-in chains into those of `chains`, which gets sorted. `destination` is that of
/// every packet that can get a mark.
[[nodiscard]] Ruleset assemble(std::vector<Chain> chains, Family family, std::optional<Prefix> destination);

} // namespace lbc
