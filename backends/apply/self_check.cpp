#include "backends/apply/self_check.hpp"

#include "backends/nft/nft.hpp"
#include "backends/nft/nft_ruleset.hpp"
#include "backends/restore/read_tables.hpp"
#include "compiler/analysis/prove.hpp"
#include "compiler/analysis/wording.hpp"

#include <fmt/format.h>

namespace lbc {
namespace {

using Proved = std::expected<void, std::string>;

Proved prove_tables(Site const& site, Plan const& plan, std::string_view text, Family family) {
    auto const tables = read_tables(text, family);
    if (!tables)
        return std::unexpected(fmt::format("the {} rules of {} cannot be read back, line {}: {}", title(family),
                                           site[plan.director].name.value, tables.error().line,
                                           tables.error().message));
    return prove_rules(site, plan, *tables);
}

} // namespace

Proved prove_rules(Site const& site, Plan const& plan, Netfilter const& rules) {
    auto const proof = prove(plan.marks, own_marks(plan), rules);
    if (proof.holds())
        return {};
    if (proof.is_given_up)
        return std::unexpected(fmt::format("{}: whether the rules mark every packet as the site says is unknown: they "
                                           "tell too many kinds of packets apart; do without a proof",
                                           site[plan.director].name.value));
    auto const& fault = proof.faults.front();
    return std::unexpected(fmt::format("{}: the rules do not mark every packet as the site says: {}; this is a fault "
                                       "of lbc, please report it",
                                       site[plan.director].name.value, title_of_witness(fault.packets)));
}

Proved prove_layout(Site const& site, Plan const& plan, Layout layout) {
    for (auto const family : families) {
        Netfilter const rules{family, {layout(site, plan.marks, family)}};
        if (auto proved = prove_rules(site, plan, rules); !proved)
            return proved;
    }
    return {};
}

Proved prove_nft(Site const& site, Plan const& plan, NftState const& state) {
    for (auto const family : families) {
        Netfilter rules{family, {}};
        if (auto table = ruleset_of(state, family))
            rules.tables.push_back(std::move(*table));
        if (auto proved = prove_rules(site, plan, rules); !proved)
            return proved;
    }
    return {};
}

Proved prove_text(Site const& site, std::span<Plan const> plans, Layout layout, std::string_view kind,
                  std::string_view text) {
    for (auto const& plan : plans) {
        if (kind == "iptables" || kind == "ip6tables") {
            auto const family = kind == "iptables" ? Family::ipv4 : Family::ipv6;
            if (auto proved = prove_tables(site, plan, text, family); !proved)
                return proved;
        } else if (kind == "sh") {
            for (auto const family : families) {
                auto const tables = tables_in_script(text, site[plan.director].name.value, family);
                if (!tables)
                    return std::unexpected(tables.error().message);
                if (auto proved = prove_tables(site, plan, *tables, family); !proved)
                    return proved;
            }
        } else if (kind == "nft") {
            if (auto proved = prove_nft(site, plan, nft_state(site, plan.marks)); !proved)
                return proved;
        } else if (auto proved = prove_layout(site, plan, layout); !proved) {
            return proved;
        }
    }
    return {};
}

} // namespace lbc
