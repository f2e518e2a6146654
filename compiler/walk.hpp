// What a Ruleset does to one packet: rule by rule, as the kernel walks it (iptables(8), "targets"). A RuleIndex finds
// the few rules that can matter to packets for a destination, so that a question about one VIP of ten thousand costs
// what it costs with ten.
#pragma once

#include "compiler/ruleset.hpp"

#include <map>
#include <optional>
#include <string>
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
    bool unknown = false; // it meets a rule that a Ruleset has no words for

    friend auto operator<=>(Outcome const&, Outcome const&) = default;
};

/// The rules that can matter to packets for one destination.
class RulesFor {
public:
    struct NamedChain {
        std::string_view name;
        std::vector<Rule const*> rules;
    };

    RulesFor(Ruleset const& rules, std::vector<NamedChain> chains) : rules_(&rules), chains_(std::move(chains)) {}

    /// What the rules that a built-in chain, "PREROUTING" or "OUTPUT", leads into do to a packet.
    [[nodiscard]] Outcome walk(std::string_view builtin, Packet const& packet) const;

    [[nodiscard]] std::vector<NamedChain> const& chains() const { return chains_; }
    [[nodiscard]] std::vector<Hook> const& hooks() const { return rules_->hooks; }

    /// Whether both have the same rules, so that no packet can tell them apart.
    friend bool operator==(RulesFor const& a, RulesFor const& b);

private:
    Ruleset const* rules_;
    std::vector<NamedChain> chains_; // those that are not empty, sorted by name
};

class RuleIndex {
public:
    /// Refers to the rules.
    explicit RuleIndex(Ruleset const& rules);
    explicit RuleIndex(Ruleset&&) = delete;

    /// All that the rules ask for as a destination, sorted, each once.
    [[nodiscard]] std::vector<Prefix> const& destinations() const { return destinations_; }

    /// Those that can match packets for an address of `destination` that is in no narrower one of `destinations`.
    [[nodiscard]] RulesFor at(Prefix const& destination) const;

private:
    struct Place {
        std::size_t chain;
        std::size_t rule;
        friend auto operator<=>(Place const&, Place const&) = default;
    };

    Ruleset const* rules_;
    std::vector<Prefix> destinations_;
    std::vector<int> lengths_;                       // of destinations, sorted
    std::vector<Place> for_all_;                     // rules that ask for no destination
    std::map<Prefix, std::vector<Place>> by_prefix_; // the others
};

} // namespace lbc
