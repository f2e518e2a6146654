// Finds the few rules that can matter to packets for a destination. So a question about one VIP costs the same with ten
// thousand VIPs as with ten.
#pragma once

#include "compiler/analysis/evaluate.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace lbc {

class RuleIndex {
public:
    /// Refers to the rules, and to `work`, which counts the steps of `at` and its walks.
    explicit RuleIndex(Ruleset const& rules, Work* work = nullptr);
    explicit RuleIndex(Netfilter const& netfilter, Work* work = nullptr);
    explicit RuleIndex(Ruleset&&, Work* = nullptr) = delete;
    explicit RuleIndex(Netfilter&&, Work* = nullptr) = delete;

    /// All destinations that the rules and their sets match, sorted, each once.
    [[nodiscard]] std::vector<Prefix> const& destinations() const { return destinations_; }

    /// The rules that can match packets for an address of `destination` that is in no narrower one of `destinations`.
    [[nodiscard]] RulesFor at(Prefix const& destination) const;

    /// The same with the foreign rules that may drop some of the packets and leave the rest as it was; nothing if there
    /// are none.
    [[nodiscard]] std::optional<RulesFor> with_doubtful_drops(Prefix const& destination) const;

    /// Every rule, also those that cannot matter to a mark.
    [[nodiscard]] RulesFor all() const;

private:
    struct Place {
        std::size_t table;
        std::size_t chain; // its index in the table
        std::size_t rule;
        friend auto operator<=>(Place const&, Place const&) = default;
    };
    struct IndexedChain {
        std::string_view name;
        std::vector<RulesFor::Placed> rules;
        bool is_reached = false; // by packets on their way to IPVS
    };
    struct IndexedTable {
        Ruleset const* rules;
        std::vector<IndexedChain> chains; // sorted by name

        [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
    };

    void add(Ruleset const& rules);
    void finish();
    void find_reached();
    [[nodiscard]] std::vector<Place> places_at(Prefix const& destination) const;
    [[nodiscard]] RulesFor select(std::vector<Place> places, Work* work) const;

    std::vector<IndexedTable> tables_;
    std::vector<Prefix> destinations_;
    std::vector<int> lengths_;                       // of destinations, sorted
    std::vector<Place> for_all_;                     // rules that match any destination, or all but one
    std::map<Prefix, std::vector<Place>> by_prefix_; // the others
    std::vector<Place> doubtful_drops_;
    std::shared_ptr<RulesFor::BaseFacts> facts_ = std::make_shared<RulesFor::BaseFacts>();
    Work* work_;
};

} // namespace lbc
