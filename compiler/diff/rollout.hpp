// Plans the rollout of a change on several directors. No two change at one instant, so for a while some have the old
// site and some the new one. The plan checks, in each such mix, every packet that one director forwards to another:
// whether the other delivers it, as it should, or balances it again.
#pragma once

#include "compiler/diff/diff.hpp"

#include <span>

namespace lbc {

/// A fault between two directors.
struct Hazard {
    enum class Kind : std::uint8_t {
        balanced_twice, // `to` marks what `from` has balanced
        remembered,     // `to` forwards again what its IPVS remembers from an earlier role, and no guard stops it; not
                        // checked for packets out of a tunnel, since no MAC identifies them
        lost,           // `from` sends to an address that `to` has given up
        sync,           // a connection synchronised between them finds no service by its mark
    };

    Kind kind{};
    std::string from;
    std::string to;
    bool from_new = false; // which site `from` has
    bool to_new = false;
    std::string service;
    std::string detail; // the packet, as "192.0.2.1:80/tcp from 02:00:00:00:00:01"; the address; the marks

    friend auto operator<=>(Hazard const&, Hazard const&) = default;
};

[[nodiscard]] std::string_view to_string(Hazard::Kind kind);

/// "while lb3 has the new site and lb1 the old one, lb1 balances again what lb3 forwards to it: web (…)"
[[nodiscard]] std::string sentence(Hazard const& hazard);
/// One sentence for adjacent hazards that differ only in their services.
[[nodiscard]] std::vector<std::string> sentences(std::span<Hazard const> hazards);

struct Rollout {
    enum class Verdict : std::uint8_t {
        one_director, // no more than one changes
        any_order,
        in_order, // `order` is safe, and another may not be
        no_order, // in every order, a packet can be balanced twice on the way
        unknown,  // there are too many packet classes to check each; only `vrrp` is set
    };

    Verdict verdict = Verdict::one_director;
    std::vector<std::string> order;  // of the directors that change; with no_order, those that come before the cycle
    std::vector<std::string> cycle;  // with no_order: directors of which none can be first
    std::vector<Hazard> avoided;     // by the order; with no_order, also those that it cannot avoid
    std::vector<Hazard> unavoidable; // in any order, until all have the new site
    std::vector<Hazard> standing;    // once all have the new site
    std::vector<std::string> vrrp;   // what to do about instances, in sentences
};

[[nodiscard]] std::string_view to_string(Rollout::Verdict verdict);

/// Both sides must have sites.
[[nodiscard]] Rollout plan_rollout(Side const& before, Side const& after, Difference const& difference);

} // namespace lbc
