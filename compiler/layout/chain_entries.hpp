// The layout-independent contents of the chains: entries that a layout orders and a RuleWriter turns into rules.
// Private to this folder.
#pragma once

#include "compiler/plan/plan.hpp"
#include "compiler/rules/ruleset.hpp"

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace lbc {

/// An action for packets of one destination, protocol and list of ports; it becomes one rule or several. The entries of
/// a chain may be in any order, except that entries with overlapping destinations keep the order of the list.
struct ChainEntry {
    enum class Action : std::uint8_t {
        mark,   // set the mark of the class, unless the packet is from one of its bypass MACs
        peer,   // set the guard mark
        own,    // set the mark of the class, for packets that the director itself sends
        local,  // set mark 0
        drop,   // drop packets of a connection that IPVS remembers
        tunnel, // the same for the outer packets of a TunnelEnd
    };
    Action action = Action::mark;
    Prefix destination;
    std::uint8_t protocol = 0;        // IP protocol number; 0: any
    std::span<PortRange const> ports; // sorted, disjoint, non-adjacent; empty: any; not owned
    MarkClass const* of = nullptr;    // null: it is for a TunnelEnd
};

/// Owns port lists of entries that differ from those of a class. Elements never move.
using PortLists = std::deque<std::vector<PortRange>>;

/// The contents of one chain: the rules that every layout puts first, and the entries behind them. Services on
/// different interfaces can give equal entries.
struct Part {
    std::vector<Rule> lead;
    std::vector<ChainEntry> items;
    std::vector<ChainEntry> said; // entries that the sets of the lead's rules cover

    [[nodiscard]] bool empty() const { return lead.empty() && items.empty(); }
};

/// The four chains of one family. An empty one is not created.
struct Parts {
    Part marks;  // marks_chain
    Part peers;  // peers_chain
    Part output; // output_chain
    Part guard;  // guard_chain
    PortLists ports;
};

/// The parts of a table for one family. They refer to the table.
[[nodiscard]] Parts parts_of(MarkTable const& table, Family family);

/// Turns entries into rules.
class RuleWriter {
public:
    RuleWriter(Site const& site, MarkTable const& table)
        : site_(&site), guard_(table.guard ? &*table.guard : nullptr) {}

    /// The number of rules of an entry.
    [[nodiscard]] static std::size_t count(ChainEntry const& item);
    void append(ChainEntry const& item, std::vector<Rule>& rules) const;

private:
    void append(ChainEntry const& item, Matches when, std::vector<Rule>& rules) const;
    [[nodiscard]] std::string comment_of(ChainEntry const& item) const;

    Site const* site_;
    Guard const* guard_;
};

/// Builds the Ruleset: sorts `chains` and adds the jumps from the built-in chains into them. `destination` contains the
/// destinations of all packets that can get a mark.
[[nodiscard]] Ruleset assemble(std::vector<Chain> chains, Family family, std::optional<Prefix> destination);

} // namespace lbc
