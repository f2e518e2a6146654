#include "backends/nft/nft.hpp"

#include "backends/comment.hpp"
#include "backends/nft/mark_groups.hpp"
#include "backends/nft/nft_words.hpp"

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
        if (prerouting_.empty() && output_.empty())
            return {};
        fill_sets();
        NftState state{std::move(sets_), {}};
        for (auto const& [name, rules] : {std::pair("prerouting", &prerouting_), std::pair("output", &output_),
                                          std::pair("peers", &peers_), std::pair("guard", &guard_)})
            if (!rules->empty())
                state.chains.push_back({name, {}, std::move(*rules)});
        return state;
    }

private:
    void add_set(std::string kind, std::string name, std::string definition, std::string lines) {
        if (!lines.empty())
            sets_.push_back({std::move(kind), std::move(name), std::move(definition), std::move(lines)});
    }

    void add_maps(MarkElements const& elements, std::string_view prefix, std::string_view suffix) {
        for (auto const kind : key_kinds)
            for (auto const family : families)
                add_set("map", map_name(prefix, kind, family, suffix), map_definition(kind, family),
                        element_lines(*site_, elements.get(kind, family), kind));
    }

    void fill_sets() {
        if (!groups_.empty())
            add_set("set", "peers", "type ether_addr;", mac_lines(table_->peers));
        for (auto const& group : groups_)
            add_maps(group.elements, {}, gate_name(group.gate));
        add_maps(own_, "own_", {});
        if (!table_->guard)
            return;
        for (auto const family : families) {
            auto const address = address_type(family);
            auto const tunnels = tunnel_lines(table_->guard->tunnels, family);
            add_set("set", fmt::format("vips{}", digit(family)), fmt::format("type {}; flags interval;", address),
                    prefix_lines(vips_of(*table_, family)));
            add_set("set", fmt::format("tunnels{}", digit(family)), fmt::format("type {} . inet_proto;", address),
                    tunnels.whole);
            add_set("set", fmt::format("tunnel_ports{}", digit(family)),
                    fmt::format("type {} . inet_proto . inet_service;", address), tunnels.by_port);
        }
    }

    /// `each` gets "meta mark set KEY map @NAME" for every map.
    template <typename Each>
    static void for_each_lookup(MarkElements const& elements, std::string_view prefix, std::string_view suffix,
                                Each each) {
        for (auto const kind : key_kinds)
            for (auto const family : families)
                if (!elements.get(kind, family).empty())
                    each(fmt::format("meta mark set {} map @{}", key_words(kind, family),
                                     map_name(prefix, kind, family, suffix)));
    }

    void fill_prerouting() {
        if (groups_.empty())
            return;
        for (auto const family : families)
            prerouting_ += outside_rule(vips_of(*table_, family), family);
        prerouting_ += rule_comment("what this director sends to itself") + rule("iifname \"lo\" return");
        if (!table_->peers.empty())
            prerouting_ += rule_comment("what another director has balanced already") +
                           rule(table_->guard ? "ether saddr @peers goto peers" : "ether saddr @peers return");
        for (auto const& group : groups_) {
            auto const conditions = conditions_of(group.gate);
            for_each_lookup(group.elements, {}, gate_name(group.gate), [&](std::string const& lookup) {
                for (auto const& condition : conditions)
                    prerouting_ += rule(condition + lookup + " return");
            });
        }
        if (table_->guard && !table_->peers.empty())
            fill_peers(*table_->guard);
    }

    /// Wherever it came in. The service's mark, which the map gives, is overwritten before the rule ends.
    void fill_peers(Guard const& guard) {
        for (auto const& group : groups_)
            for_each_lookup(group.elements, {}, gate_name(group.gate), [&](std::string const& lookup) {
                peers_ += rule(fmt::format("{} meta mark set {} return", lookup, guard.mark.str()));
            });
    }

    void fill_output() {
        if (table_->guard)
            fill_guard(*table_->guard);
        if (!guard_.empty())
            output_ += rule_comment("what IPVS would forward a second time") +
                       rule(fmt::format("meta mark {} goto guard", table_->guard->mark.str()));
        for_each_lookup(own_, "own_", {}, [&](std::string const& lookup) { output_ += rule(lookup + " return"); });
    }

    void fill_guard(Guard const& guard) {
        for (auto const family : families) {
            auto const tunnels = tunnel_lines(guard.tunnels, family);
            if (!tunnels.whole.empty())
                guard_ += rule(fmt::format("{} @tunnels{} drop", key_words(KeyKind::protocols, family), digit(family)));
            if (!tunnels.by_port.empty())
                guard_ +=
                    rule(fmt::format("{} @tunnel_ports{} drop", key_words(KeyKind::services, family), digit(family)));
        }
        if (!guard_.empty())
            guard_.insert(0, rule_comment("into a tunnel again"));
        bool const is_local = guard.mode == GuardMode::local;
        if (!groups_.empty())
            guard_ +=
                rule_comment(is_local ? "a changed mark routes anew: to this box" : "remembered from an earlier role");
        for (auto const family : families)
            if (!vips_of(*table_, family).empty())
                guard_ += rule(fmt::format("{} @vips{} {}", address_words(family), digit(family),
                                           is_local ? "meta mark set 0x0" : "drop"));
    }

    Site const* site_;
    MarkTable const* table_;
    std::vector<MarkGroup> groups_;
    MarkElements own_;
    std::vector<NftSet> sets_;
    std::string prerouting_;
    std::string output_;
    std::string peers_;
    std::string guard_;
};

} // namespace

NftState nft_state(Site const& site, MarkTable const& table) { return Writer(site, table).write(); }
NftParts nft_parts(Site const& site, MarkTable const& table) { return nft_state(site, table).parts(); }

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
