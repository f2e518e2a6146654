// Proofs before something is given out or done: that what was made of a site marks every packet as the site says. A
// proof that fails is a fault of lbc, and nothing is written.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "cli/site_input.hpp"
#include "compiler/plan.hpp"
#include "compiler/ruleset.hpp"

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// Up to this many classes of packets on a director a proof takes about a second, by nftables; by iptables far less.
inline constexpr std::size_t proved_unasked = 1'000;

/// Rules of one director. The error names a packet that shows the difference.
[[nodiscard]] std::expected<void, std::string> prove_rules(Site const& site, Plan const& plan, Netfilter const& rules);

/// Rules of both families as the layout that was asked for makes them.
[[nodiscard]] std::expected<void, std::string> prove_layout(SiteInput const& input, Plan const& plan);

/// lbc's table of nftables, in both families.
[[nodiscard]] std::expected<void, std::string> prove_nft(Site const& site, Plan const& plan, NftState const& state);

/// The text of an artefact: `kind` is one of `compile --emit`, "iptables", "ip6tables" and "sh"; it is read as the
/// tools that take it read it; of "nft", the table that the text is printed from is proved. Of others, which have no
/// rules in a text, the layout is proved.
[[nodiscard]] std::expected<void, std::string> prove_text(SiteInput const& input, std::span<Plan const> plans,
                                                          std::string_view kind, std::string_view text);

} // namespace lbc
