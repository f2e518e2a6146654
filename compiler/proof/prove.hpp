// Proves that rules give every packet of one family the mark that a MarkTable says, whoever's the rules are, or finds
// the packets that show the difference: of those that enter or leave without a mark, or with one that a rule asks for
// (of a mask, the least and the greatest). What the table leaves as it was, others may mark and drop as they like, as
// long as no mark of the site's comes of it.
#pragma once

#include "compiler/proof/comparison.hpp"
#include "compiler/proof/mark_meaning.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

namespace lbc {

/// The rule that made a packet's outcome what it is.
struct Decision {
    std::string table;
    std::string chain;
    std::size_t number = 0; // from 1, in its chain
    std::string rule;       // in the words of iptables-save or nft
    bool is_own = false;    // see `is_own_rule`
    bool is_sure = true;    // the packet does take it
};

/// Packets that are not as the site says, all in the same way.
struct MarkFault {
    enum class Kind : std::uint8_t {
        differs, // they have another mark, or are dropped by a rule of lbc's
        unknown, // they may: a rule that lbc does not know decides
        dropped, // the site gives them a mark, and rules of others drop them all
    };

    Kind kind{};
    MarkChange packets;               // before: as the site says; after: as the rules have it
    std::optional<Decision> decision; // none: no rule did anything
};

struct Proof {
    std::vector<MarkFault> faults;  // none: every packet that gets through has the site's mark
    std::vector<MarkFault> dropped; // no packet gets another mark by these
    std::size_t pieces = 0;         // of the space of packets

    bool is_given_up = false; // rules tell too many kinds of packets apart, or differ from the site all over

    [[nodiscard]] bool holds() const { return faults.empty() && !is_given_up; }
};

/// `marks` are all that are the site's on the director: of its services, of its checks, and of its guard.
[[nodiscard]] Proof prove(MarkTable const& table, std::set<Fwmark> const& marks, Netfilter const& rules);

/// The marks that are a plan's own.
[[nodiscard]] std::set<Fwmark> own_marks(Plan const& plan);

} // namespace lbc
