// Proves that rules, own and foreign, give every packet of one family the mark that a MarkTable states, or finds the
// packets that show a difference. It covers packets that enter or leave without a mark, or with a mark that a rule
// matches (of a mask, the least and the greatest). Foreign rules may mark and drop packets that the table leaves as
// they were, unless such a packet gets a mark of the site.
#pragma once

#include "compiler/analysis/compare.hpp"
#include "compiler/analysis/mark_spec.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

namespace lbc {

/// The rule that decides a packet's outcome.
struct Decision {
    std::string table;
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string rule;       // as iptables-save or nft prints it
    bool is_own = false;    // see `is_own_rule`
    bool is_sure = true;    // the packet certainly takes it
};

/// Packets that all differ from the site in the same way.
struct MarkFault {
    enum class Kind : std::uint8_t {
        differs, // they have another mark, or an own rule drops them
        unknown, // they may differ: an unknown rule decides
        dropped, // the site gives them a mark, and foreign rules drop them all
    };

    Kind kind{};
    MarkChange packets;               // before: what the site states; after: what the rules do
    std::optional<Decision> decision; // none: no rule did anything
};

struct Proof {
    std::vector<MarkFault> faults;  // none: every packet that gets through has the site's mark
    std::vector<MarkFault> dropped; // these give no packet another mark
    std::size_t pieces = 0;         // the number of packet classes

    bool is_given_up = false; // too many packet classes, or too many differences from the site

    [[nodiscard]] bool holds() const { return faults.empty() && !is_given_up; }
};

/// `marks` are all marks of the site on the director: of its services, its checks and its guard.
[[nodiscard]] Proof prove(MarkTable const& table, std::set<Fwmark> const& marks, Netfilter const& rules);

/// All marks of a plan: of its services, its checks and its guard.
[[nodiscard]] std::set<Fwmark> own_marks(Plan const& plan);

} // namespace lbc
