// The self-check before rules are printed or loaded: it proves that they mark every packet as the site states. A proof
// that fails is a fault of lbc, and nothing is written.
#pragma once

#include "backends/nft/nft_rule.hpp"
#include "compiler/plan/layout_function.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/rules/ruleset.hpp"

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// With up to this many classes in a director's mark table, a proof takes about a second for nftables, and far less for
/// iptables.
inline constexpr std::size_t proved_unasked = 1'000;

/// Proves the rules of one director. The error names a packet that shows the difference.
[[nodiscard]] std::expected<void, std::string> prove_rules(Site const& site, Plan const& plan, Netfilter const& rules);

/// Proves the rules of both families in the requested layout.
[[nodiscard]] std::expected<void, std::string> prove_layout(Site const& site, Plan const& plan, Layout layout);

/// Proves lbc's table of nftables, in both families.
[[nodiscard]] std::expected<void, std::string> prove_nft(Site const& site, Plan const& plan, NftState const& state);

/// Proves the text of an artefact; `kind` is one of `compile --emit`. The text of "iptables", "ip6tables" and "sh" is
/// read as its tools read it. For "nft", the proof is about the table from which the text is printed. For other kinds,
/// whose texts have no rules, it is about the layout.
[[nodiscard]] std::expected<void, std::string> prove_text(Site const& site, std::span<Plan const> plans, Layout layout,
                                                          std::string_view kind, std::string_view text);

} // namespace lbc
