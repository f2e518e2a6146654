// What rules do to packets, as the kernel walks them (iptables(8), "targets"; ip_tables.c). A walk takes all packets at
// once that differ in their port alone, so that a chain of ten thousand ports costs what its rules cost. A match that
// lbc does not know may hold or not: both ways are gone, and a packet has as many outcomes as the ways have ends.
#pragma once

#include "compiler/proof/work.hpp"
#include "compiler/ruleset.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
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
};

/// What becomes of a packet.
struct Outcome {
    Fwmark mark;
    bool dropped = false;
    bool unknown = false;     // it may have any mark, or be dropped
    bool by_others = false;   // not decided by lbc's rules: they gave no mark, or a rule of others drops it
    bool readdressed = false; // a rule of others sends it to another destination
    std::uint32_t open = 0;   // bits of the mark that nothing in the rules tells; they are 0 in `mark`

    [[nodiscard]] static constexpr Outcome anything(bool by_others = false) {
        return {.mark = {}, .unknown = true, .by_others = by_others};
    }
    [[nodiscard]] static constexpr Outcome drop(bool by_others = false) {
        return {.mark = {}, .dropped = true, .by_others = by_others};
    }
    [[nodiscard]] static constexpr Outcome pass(Fwmark mark, bool by_others = false) {
        return {.mark = mark, .by_others = by_others};
    }
    /// Whether it comes to IPVS with just the mark that is in `mark`.
    [[nodiscard]] bool is_marked() const { return !unknown && !dropped && open == 0; }
    /// Whether it may have this mark when it comes to IPVS.
    [[nodiscard]] bool may_have(Fwmark wanted) const {
        return unknown || (!dropped && (wanted.value & ~open) == mark.value);
    }

    friend auto operator<=>(Outcome const&, Outcome const&) = default;
};

/// Sorted, without duplicates, never empty; several where a match is not known.
using Outcomes = std::vector<Outcome>;

struct PortOutcomes {
    PortRange ports;
    Outcomes outcomes;
};

/// Calls `use(ports, a, b)` for the ports that a piece of `a` and one of `b` share; both are sorted.
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

/// Which hooks a packet passes (nf_inet_hooks), as far as they lie before IPVS, which has LOCAL_IN at 98 and 99 and
/// LOCAL_OUT at -99 and -98 (ip_vs_core.c).
enum class Direction : std::uint8_t {
    entering, // PREROUTING of raw, mangle, nat; INPUT of mangle, filter, security; the like of nftables
    leaving,  // OUTPUT of raw, mangle, nat: what the box sends itself, and what IPVS forwards
    // Only the first packet of a connection comes to nat: there, both ways are gone.
};
[[nodiscard]] Direction direction_of(BaseChain::Hook hook);

/// One rule that a packet came to.
struct TraceStep {
    enum class Match : std::uint8_t { no, yes, maybe };

    std::string_view table;
    std::string_view chain;
    std::size_t number = 0; // from 1, in its chain
    Rule const* rule = nullptr;
    Match match = Match::no;
    int depth = 0; // chains that the walk is in below the built-in one
    Fwmark mark;   // that the packet has behind the rule, where `is_mark_known`
    bool is_mark_known = true;
    RuleOrigin const* origin =
        nullptr; // of nftables: the rule that this is a part of, whose chain and number these are

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
        std::vector<NamedChain> chains; // those that are not empty, sorted by name; built-in ones among them
    };

    /// Base chains, by the place of their table and their names.
    using BaseNames = std::set<std::pair<std::size_t, std::string>>;
    /// What is known of base chains, whatever the destination of packets.
    struct BaseFacts {
        BaseNames before_marks; // packets come to them before a rule that may give a mark
        BaseNames use_marks;    // they may give or ask for one, or send packets to another destination
    };

    /// `work` counts what walks do, and ends them; null: they go on. `facts` null: each is true of all.
    explicit RulesFor(std::vector<Table> tables, Work* work = nullptr, BaseFacts const* facts = nullptr);

    /// A base chain that has rules.
    struct Stage {
        std::size_t table; // its place among the tables
        BaseChain base;
    };
    using Stages = std::vector<Stage>;
    /// The orders in which packets may come to them. Which of several with one hook and priority comes first, a kernel
    /// does not tell: it is the one that was made last (nf_hook_entries_grow in netfilter/core.c). In the first order,
    /// lbc's is. Empty: there are too many.
    [[nodiscard]] std::vector<Stages> const& orders(Direction direction) const {
        return orders_[static_cast<std::size_t>(direction)];
    }

    /// What becomes of the packets for `ports`; `packet.port` is not looked at. In order, each port once, with what may
    /// come of any order. `asked` gets
    /// the MACs that rules on the way asked for: packets from any two others go the same way.
    [[nodiscard]] std::vector<PortOutcomes> walk(Direction direction, Packet const& packet, PortRange ports,
                                                 std::set<MacAddress>* asked = nullptr) const;

    /// What becomes of one packet; `unknown` where it may have several outcomes.
    [[nodiscard]] Outcome walk(Direction direction, Packet const& packet) const;

    /// The same in the first order, telling each rule that the packet comes to.
    Outcomes trace(Direction direction, Packet const& packet, Observer const& observer) const;

    [[nodiscard]] std::vector<Table> const& tables() const { return tables_; }

    /// Whether a packet that a rule of the base chain sends elsewhere may still get another mark.
    [[nodiscard]] bool is_before_marks(Stage const& stage) const {
        return facts_ == nullptr || facts_->before_marks.contains({stage.table, stage.base.chain});
    }

    /// Whether both have the same rules, so that no packet can tell them apart.
    friend bool operator==(RulesFor const& a, RulesFor const& b);

private:
    [[nodiscard]] std::vector<Stages> orders_of(Stages first) const;

    std::vector<Table> tables_;
    std::array<std::vector<Stages>, 2> orders_;
    Work* work_;
    BaseFacts const* facts_;
};

/// One outcome of several: `unknown` unless all are the same.
[[nodiscard]] Outcome only(Outcomes const& outcomes);

} // namespace lbc
