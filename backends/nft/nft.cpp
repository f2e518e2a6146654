#include "backends/nft/nft.hpp"

#include "backends/nft/mark_groups.hpp"
#include "backends/nft/nft_words.hpp"
#include "compiler/base/comment.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace lbc {
namespace {

class Writer {
public:
    Writer(Site const& site, MarkTable const& table)
        : site_(&site), table_(&table), groups_(groups_of(table)), own_(own_elements_of(table)) {}

    NftState write() {
        fill_prerouting();
        fill_output();
        NftState state;
        if (prerouting_.empty() && output_.empty())
            return state;
        fill_sets();
        state.sets = std::move(sets_);
        for (auto const& [name, rules] : {std::pair("prerouting", &prerouting_), std::pair("output", &output_),
                                          std::pair("peers", &peers_), std::pair("guard", &guard_)})
            if (!rules->empty())
                state.chains.push_back(nft_chain(name, std::move(*rules)));
        return state;
    }

private:
    using Rules = std::vector<NftRule>;

    void add_set(NftSet set) {
        if (!set.elements.empty())
            sets_.push_back(std::move(set));
    }

    void add_maps(MarkElements const& elements, std::string_view prefix, std::string_view suffix) {
        for (auto const kind : key_kinds)
            for (auto const family : families)
                add_set(
                    mark_map(*site_, map_name(prefix, kind, family, suffix), kind, family, elements.get(kind, family)));
    }

    void fill_sets() {
        if (!groups_.empty())
            add_set(mac_set("peers", table_->peers));
        for (auto const& group : groups_)
            add_maps(group.elements, {}, ingress_name(group.gate));
        add_maps(own_, "own_", {});
        if (!table_->guard)
            return;
        for (auto const family : families) {
            add_set(prefix_set(fmt::format("vips{}", digit(family)), family, vips_of(*table_, family)));
            for (bool const with_port : {false, true})
                add_set(tunnels(family, with_port));
        }
    }

    [[nodiscard]] NftSet tunnels(Family family, bool with_port) const {
        return tunnel_set(fmt::format("{}{}", with_port ? "tunnel_ports" : "tunnels", digit(family)), family,
                          table_->guard->tunnels, with_port);
    }

    /// Calls `each` with the lookup in each map that has elements.
    template <typename Each>
    static void for_each_lookup(MarkElements const& elements, std::string_view prefix, std::string_view suffix,
                                Each each) {
        for (auto const kind : key_kinds)
            for (auto const family : families)
                if (!elements.get(kind, family).empty())
                    each(NftMapMark{key_of(kind, family), map_name(prefix, kind, family, suffix)});
    }

    static void add(Rules& to, NftStatements statements, std::string comment = {}) {
        to.push_back({std::move(statements), std::move(comment)});
    }

    void fill_prerouting() {
        if (groups_.empty())
            return;
        for (auto const family : families)
            if (auto outside = outside_rule(vips_of(*table_, family), family); !outside.empty())
                add(prerouting_, std::move(outside));
        add(prerouting_, {in_interfaces({*InterfacePattern::parse("lo")}), Return{}},
            "what this director sends to itself");
        if (!table_->peers.empty())
            add(prerouting_,
                {NftMatch{.key = {NftField::source_mac}, .set = "peers"},
                 table_->guard ? NftStatement(Goto{"peers"}) : NftStatement(Return{})},
                "what another director has balanced already");
        for (auto const& group : groups_) {
            auto const conditions = conditions_of(group.gate);
            for_each_lookup(group.elements, {}, ingress_name(group.gate), [&](NftMapMark const& lookup) {
                for (auto statements : conditions) {
                    statements.insert(statements.end(), {lookup, Return{}});
                    add(prerouting_, std::move(statements));
                }
            });
        }
        if (table_->guard && !table_->peers.empty())
            fill_peers(*table_->guard);
    }

    /// For every ingress. The guard's mark overwrites the service's mark, which the map gives, before the rule ends.
    void fill_peers(Guard const& guard) {
        for (auto const& group : groups_)
            for_each_lookup(group.elements, {}, ingress_name(group.gate),
                            [&](NftMapMark const& lookup) { add(peers_, {lookup, SetMark{guard.mark}, Return{}}); });
    }

    void fill_output() {
        if (table_->guard)
            fill_guard(*table_->guard);
        if (!guard_.empty())
            add(output_, {NftMatch{.key = {NftField::mark}, .number = table_->guard->mark.value}, Goto{"guard"}},
                "what IPVS would forward a second time");
        for_each_lookup(own_, "own_", {}, [&](NftMapMark const& lookup) { add(output_, {lookup, Return{}}); });
    }

    void fill_guard(Guard const& guard) {
        for (auto const family : families)
            for (bool const with_port : {false, true})
                if (auto const ends = tunnels(family, with_port); !ends.elements.empty())
                    add(guard_, {NftMatch{.key = ends.key, .set = ends.name}, Drop{}},
                        guard_.empty() ? "into a tunnel again" : "");
        bool const is_local = guard.mode == GuardMode::local;
        auto comment = is_local ? "a changed mark routes anew: to this box" : "remembered from an earlier role";
        for (auto const family : families)
            if (!vips_of(*table_, family).empty())
                add(guard_,
                    {NftMatch{.key = {destination_field(family)}, .set = fmt::format("vips{}", digit(family))},
                     is_local ? NftStatement(SetMark{}) : NftStatement(Drop{})},
                    std::exchange(comment, ""));
    }

    Site const* site_;
    MarkTable const* table_;
    std::vector<MarkGroup> groups_;
    MarkElements own_;
    std::vector<NftSet> sets_;
    Rules prerouting_;
    Rules output_;
    Rules peers_;
    Rules guard_;
};

} // namespace

NftState nft_state(Site const& site, MarkTable const& table) { return Writer(site, table).write(); }
NftParts nft_parts(Site const& site, MarkTable const& table) { return nft_parts(nft_state(site, table)); }

std::string nft_text(Site const& site, MarkTable const& table, std::string_view director) {
    auto const parts = nft_parts(site, table);
    auto const what = parts.sets.empty() ? "has no marks: this takes lbc's table of nftables away"
                                         : "has these marks, in a table of nftables of their own";
    return fmt::format(
               "# lbc: director {} {}.\n# Load with: nft -f FILE\n"
               "# A load is one transaction, and may be repeated. Sets that an earlier text had and this one has\n"
               "# not are left over, without use; the script of `lbc compile --emit sh --backend nft` leaves none.\n\n",
               comment_text(director), what) +
           parts.sets + (parts.sets.empty() ? "" : "\n") + parts.rules;
}

} // namespace lbc
