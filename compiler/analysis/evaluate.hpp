// Evaluates rules for packets as the kernel walks them (iptables(8), "targets"; ip_tables.c). One walk takes all
// packets that differ only in their port, so a chain of ten thousand ports costs no more than its rules. Matches are
// ternary: if a match is unknown, both branches are explored, and the result is the set of possible outcomes.
#pragma once

#include "compiler/analysis/connection_marks.hpp"
#include "compiler/analysis/work.hpp"
#include "compiler/rules/ruleset.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

/// A packet as far as rules can tell it from another.
struct Packet {
    IpAddress destination;
    std::uint8_t protocol = 0;        // IP protocol number
    Port port;                        // of the destination, of protocols that have ports
    std::string interface;            // where it enters; empty on its way out
    std::optional<MacAddress> source; // none: the device has no Ethernet addresses, or it is on its way out
    Fwmark mark;                      // what it carries

    /// What is known of its connection (nf_conntrack). Only the first packet of a connection passes the table nat.
    enum class Connection : std::uint8_t {
        any,       // it may have none, or be any packet of one
        first,     // it is the first packet of one
        forwarded, // IPVS forwards it: without one (ip_vs_notrack in ip_vs_xmit.c), or with one that has passed nat
    };
    Connection connection = Connection::any;
};

/// The fate of a packet.
struct Outcome {
    Fwmark mark;
    bool dropped = false;
    bool unknown = false;     // it may have any mark, or be dropped
    bool by_others = false;   // no own rule decides: none set the mark, or a foreign rule changed or drops it
    bool readdressed = false; // a foreign rule sends it to another destination
    std::uint32_t open = 0;   // bits of the mark that the rules leave unknown; they are 0 in `mark`

    [[nodiscard]] static constexpr Outcome anything(bool by_others = false) {
        return {.mark = {}, .unknown = true, .by_others = by_others};
    }
    [[nodiscard]] static constexpr Outcome drop(bool by_others = false) {
        return {.mark = {}, .dropped = true, .by_others = by_others};
    }
    [[nodiscard]] static constexpr Outcome pass(Fwmark mark, bool by_others = false) {
        return {.mark = mark, .by_others = by_others};
    }
    /// Whether it reaches IPVS with exactly the mark in `mark`.
    [[nodiscard]] bool is_marked() const { return !unknown && !dropped && open == 0; }
    /// Whether it may reach IPVS with this mark.
    [[nodiscard]] bool may_have(Fwmark wanted) const {
        return unknown || (!dropped && (wanted.value & ~open) == mark.value);
    }

    friend auto operator<=>(Outcome const&, Outcome const&) = default;
};

/// Sorted, without duplicates, never empty; several if a match is unknown.
using Outcomes = std::vector<Outcome>;

struct PortOutcomes {
    PortRange ports;
    Outcomes outcomes;
};

/// Calls `use(ports, a, b)` for the ports that an entry of `a` and one of `b` share; both are sorted.
template <typename Use>
void for_each_overlap(std::vector<PortOutcomes> const& a, std::vector<PortOutcomes> const& b, Use use) {
    for (auto one = a.begin(), other = b.begin(); one != a.end() && other != b.end();) {
        PortRange const both{std::max(one->ports.first, other->ports.first),
                             std::min(one->ports.last, other->ports.last)};
        if (both.first <= both.last)
            use(both, one->outcomes, other->outcomes);
        if (one->ports.last <= both.last)
            ++one;
        else
            ++other;
    }
}

/// The hooks that a packet passes (nf_inet_hooks) before it reaches IPVS, which is at 98 and 99 in LOCAL_IN and at -99
/// and -98 in LOCAL_OUT (ip_vs_core.c).
enum class Direction : std::uint8_t {
    entering, // PREROUTING of raw, mangle, nat; INPUT of mangle, filter, security; likewise in nftables
    leaving,  // OUTPUT of raw, mangle, nat: what the box sends itself, and what IPVS forwards
};
[[nodiscard]] Direction direction_of(BaseChain::Hook hook);

/// One rule that a packet reached.
struct TraceStep {
    enum class Match : std::uint8_t { no, yes, maybe };

    std::string_view table;
    std::string_view chain;
    std::size_t number = 0; // from 1, in its chain
    Rule const* rule = nullptr;
    Match match = Match::no;
    int depth = 0; // of the chain below the built-in one
    Fwmark mark;   // of the packet after the rule, if `is_mark_known`
    bool is_mark_known = true;
    RuleOrigin const* origin =
        nullptr; // in nftables: the rule that this is a part of; `chain` and `number` are those of that rule

    [[nodiscard]] std::string words() const { return origin == nullptr ? to_string(*rule) : origin->words; }
};
using Observer = std::function<void(TraceStep const&)>;

/// The rules that can matter to packets for one destination.
class RulesFor {
public:
    struct Placed {
        Rule const* rule;
        std::size_t number; // from 1, in its chain
        RuleOrigin const* origin = nullptr;
    };
    struct NamedChain {
        std::string_view name;
        std::vector<Placed> rules; // in order
    };
    struct Table {
        Ruleset const* all;
        std::vector<NamedChain> chains; // the non-empty ones, built-in ones included, sorted by name
    };

    /// Base chains: the index of the table and the name of the chain.
    using BaseNames = std::set<std::pair<std::size_t, std::string>>;
    /// Facts about base chains that hold for every destination.
    struct BaseFacts {
        BaseNames before_marks;           // packets reach them before a rule that may set a mark
        BaseNames use_marks;              // they may set or match a mark, or send packets to another destination
        ConnectionMarks connection_marks; // of all connections
    };

    /// `work` counts the steps of walks, and ends them once it is spent; null: no bound. `facts` null: each fact holds
    /// for every base chain.
    explicit RulesFor(std::vector<Table> tables, Work* work = nullptr,
                      std::shared_ptr<BaseFacts const> facts = nullptr);

    /// A base chain that has rules.
    struct Stage {
        std::size_t table; // its index among the tables
        BaseChain base;
    };
    using Stages = std::vector<Stage>;
    /// The orders in which packets may pass the stages. Of several chains with one hook and priority, the one that was
    /// made last is the first (nf_hook_entries_grow in netfilter/core.c), but a kernel does not show which that is. The
    /// first order puts lbc's chain first. Empty: there are too many orders.
    [[nodiscard]] std::vector<Stages> const& orders(Direction direction) const {
        return orders_[static_cast<std::size_t>(direction)];
    }

    /// The outcomes of the packets for `ports`; `packet.port` is ignored. Sorted, each port once, with the outcomes of
    /// every order. `asked` gets the MACs that rules on the way match: packets from any two other MACs take the same
    /// way.
    [[nodiscard]] std::vector<PortOutcomes> evaluate(Direction direction, Packet const& packet, PortRange ports,
                                                     std::set<MacAddress>* asked = nullptr) const;

    /// The outcome of one packet; `unknown` if several are possible.
    [[nodiscard]] Outcome evaluate(Direction direction, Packet const& packet) const;

    /// The possible outcomes of one packet in every order. `observer` gets each rule that the packet reaches in the
    /// first order, and none if there are too many orders.
    Outcomes trace(Direction direction, Packet const& packet, Observer const& observer) const;

    [[nodiscard]] std::vector<Table> const& tables() const { return tables_; }

    /// Whether a packet that a rule of the base chain sends to another destination may still get another mark.
    [[nodiscard]] bool is_before_marks(Stage const& stage) const {
        return facts_ == nullptr || facts_->before_marks.contains({stage.table, stage.base.chain});
    }

    [[nodiscard]] ConnectionMarks const& connection_marks() const {
        static ConnectionMarks const any;
        return facts_ == nullptr ? any : facts_->connection_marks;
    }

    /// Whether both have the same rules, so that every packet has the same outcome.
    friend bool operator==(RulesFor const& a, RulesFor const& b);

private:
    [[nodiscard]] std::vector<Stages> orders_of(Stages first) const;

    std::vector<Table> tables_;
    std::array<std::vector<Stages>, 2> orders_;
    Work* work_;
    std::shared_ptr<BaseFacts const> facts_; // shared with the index that made this, which may be gone
};

/// The outcome if it is the only one, else `unknown`.
[[nodiscard]] Outcome only(Outcomes const& outcomes);

} // namespace lbc
