#include "compiler/layout.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace lbc {
namespace {

constexpr std::size_t multiport_slots = 15; // XT_MULTI_PORTS

std::size_t slots(PortRange const& range) { return range.first == range.last ? 1 : 2; }

/// Port lists cut so that each fits one multiport match.
std::vector<std::vector<PortRange>> cut_ports(MarkClass const& mark_class) {
    if (mark_class.protocol == Protocol::any || mark_class.ports.front().is_all())
        return {{}};
    std::vector<std::vector<PortRange>> cuts;
    std::size_t used = multiport_slots;
    for (auto const& range : mark_class.ports) {
        if (used + slots(range) > multiport_slots) {
            cuts.emplace_back();
            used = 0;
        }
        cuts.back().push_back(range);
        used += slots(range);
    }
    return cuts;
}

Matches match_of(MarkClass const& mark_class, std::vector<PortRange> const& ports) {
    Matches when;
    when.destination = mark_class.destination;
    when.protocol = static_cast<std::uint8_t>(mark_class.protocol);
    when.destination_ports = ports;
    return when;
}

class LinearLayout {
public:
    LinearLayout(Site const& site, MarkTable const& table, Family family)
        : site_(site), table_(table), family_(family) {}

    Ruleset run() {
        for (auto const& mark_class : table_.classes)
            if (mark_class.family() == family_)
                classes_.push_back(&mark_class);
        rules_.family = family_;
        if (!classes_.empty())
            marks();
        if (!classes_.empty() && table_.guard)
            peers();
        output();
        std::ranges::sort(rules_.chains, {}, &Chain::name);
        return std::move(rules_);
    }

private:
    void marks() {
        Chain chain{std::string(marks_chain), {}};
        auto& rules = chain.rules;
        Matches on_lo;
        on_lo.in_interface = InterfacePattern::parse("lo");
        rules.push_back({on_lo, Return{}, "what this director sends to itself"});
        for (auto const& peer : table_.peers) {
            Matches from_peer;
            from_peer.source_mac = peer;
            rules.push_back({from_peer, table_.guard ? Target{Goto{std::string(peers_chain)}} : Target{Return{}},
                             "what another director has balanced already"});
        }
        for (auto const* mark_class : classes_)
            for_each_match(*mark_class, [&](Matches const& when) { mark(*mark_class, when, rules); });
        rules_.chains.push_back(std::move(chain));
        rules_.hooks.push_back({"PREROUTING", {{}, Jump{std::string(marks_chain)}, {}}});
    }

    /// `-i` and port lists multiply a class into rules.
    template <typename Use>
    void for_each_match(MarkClass const& mark_class, Use use) {
        for (auto const& ports : cut_ports(mark_class)) {
            auto when = match_of(mark_class, ports);
            if (mark_class.interfaces.empty())
                use(when);
            for (auto const& interface : mark_class.interfaces) {
                when.in_interface = interface;
                use(when);
            }
        }
    }

    void mark(MarkClass const& mark_class, Matches when, std::vector<Rule>& rules) {
        auto const comment = comment_of(mark_class);
        for (auto const& mac : mark_class.bypass) {
            when.source_mac = mac;
            rules.push_back({when, Return{}, comment});
        }
        when.source_mac.reset();
        if (mark_class.ethernet_only) {
            // No packet comes from the zero MAC, and `mac` holds on no device without Ethernet addresses.
            when.source_mac = MacAddress{};
            when.not_source_mac = true;
        }
        rules.push_back({when, SetMark{mark_class.mark}, comment});
    }

    void peers() {
        Chain chain{std::string(peers_chain), {}};
        std::set<std::tuple<Prefix, Protocol, std::vector<PortRange>>> seen; // by services on other interfaces
        for (auto const* mark_class : classes_)
            if (seen.emplace(mark_class->destination, mark_class->protocol, mark_class->ports).second)
                for (auto const& ports : cut_ports(*mark_class))
                    chain.rules.push_back(
                        {match_of(*mark_class, ports), SetMark{table_.guard->mark}, comment_of(*mark_class)});
        rules_.chains.push_back(std::move(chain));
    }

    /// What leaves: the director's own connections, and what IPVS forwards.
    void output() {
        Chain chain{std::string(output_chain), {}};
        if (table_.guard)
            guard(chain);
        for (auto const* mark_class : classes_)
            if (mark_class->from_director)
                for (auto const& ports : cut_ports(*mark_class))
                    chain.rules.push_back(
                        {match_of(*mark_class, ports), SetMark{mark_class->mark}, comment_of(*mark_class)});
        if (chain.rules.empty())
            return;
        rules_.chains.push_back(std::move(chain));
        rules_.hooks.push_back({"OUTPUT", {{}, Jump{std::string(output_chain)}, {}}});
    }

    void guard(Chain& out) {
        Chain chain{std::string(guard_chain), {}};
        std::set<Prefix> seen;
        for (auto const* mark_class : classes_) {
            if (!seen.insert(mark_class->destination).second)
                continue;
            Matches to_vip;
            to_vip.destination = mark_class->destination;
            auto const local = table_.guard->mode == GuardMode::local;
            chain.rules.push_back(
                {to_vip, local ? Target{SetMark{Fwmark{}}} : Target{Drop{}},
                 local ? "a changed mark routes anew: to this box" : "remembered from an earlier role"});
        }
        for (auto const& end : table_.guard->tunnels) {
            if (end.address.family() != family_)
                continue;
            Matches outer;
            outer.destination = Prefix::host(end.address);
            outer.protocol = end.protocol;
            if (end.port)
                outer.destination_ports = {{*end.port, *end.port}};
            chain.rules.push_back({outer, Drop{}, "into a tunnel again"});
        }
        if (chain.rules.empty())
            return;
        rules_.chains.push_back(std::move(chain));
        Matches guarded;
        guarded.mark = table_.guard->mark;
        out.rules.push_back({guarded, Goto{std::string(guard_chain)}, "what IPVS would forward a second time"});
    }

    [[nodiscard]] std::string comment_of(MarkClass const& mark_class) const {
        auto const& service = site_.services[mark_class.service];
        return service.description.empty() ? service.name.value : service.name.value + ": " + service.description;
    }

    Site const& site_;
    MarkTable const& table_;
    Family family_;
    std::vector<MarkClass const*> classes_;
    Ruleset rules_;
};

} // namespace

Ruleset layout_linear(Site const& site, MarkTable const& table, Family family) {
    return LinearLayout(site, table, family).run();
}

} // namespace lbc
