#include "backends/nft/nft_ruleset.hpp"

#include "backends/nft/nft_effects.hpp"
#include "backends/nft/nft_narrowing.hpp"
#include "backends/restore/rule_match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace lbc {
namespace {

constexpr std::size_t most_ways = 4096; // of one rule before its lookup; with more, it may hold or not
/// Per table. Successive maps in one rule multiply; a table with more rules is unknown.
constexpr std::size_t most_rules = 1'000'000;
/// Per table: elements that its matches are narrowed to, including those that no packet can have.
constexpr std::size_t most_steps = 20'000'000;

bool concerns(NftState const& table, Family family) {
    if (table.family == "ip")
        return family == Family::ipv4;
    if (table.family == "ip6")
        return family == Family::ipv6;
    return table.family == "inet" || table.family == "netdev" || table.family == "bridge";
}

using Ways = std::vector<Matches>; // alternatives; a packet takes at most one

class Translator {
public:
    Translator(NftState const& table, Family family, std::size_t most)
        : table_(table), family_(family), most_(std::min(most, most_rules)) {
        out_.family = family;
        out_.table = table.family + " " + table.name;
    }

    std::optional<Ruleset> run() {
        for (auto const& chain : table_.chains)
            if (auto base = base_of(chain))
                shape_.bases.push_back(std::move(*base));
        if (shape_.bases.empty() && !may_set_marks(table_))
            return std::nullopt;
        for (auto const& chain : table_.chains)
            take(chain);
        if (is_too_much())
            give_up();
        for (auto& [name, chain] : chains_)
            out_.chains.push_back(std::move(chain));
        out_.shape = std::make_shared<TableShape const>(std::move(shape_));
        return std::move(out_);
    }

    [[nodiscard]] std::size_t made() const { return made_; }

private:
    [[nodiscard]] bool is_too_much() const { return made_ > most_ || steps_ > most_steps; }

    /// The packets that reach a chain. A chain of a bridge or a device sees only packets of some devices, which are not
    /// known here.
    [[nodiscard]] Matches reach_of(NftChain const& chain) const {
        Matches reach;
        if (table_.family == "netdev" || table_.family == "bridge" || (chain.base && chain.base->hook == "ingress"))
            reach.unknown = "of the device";
        return reach;
    }

    void take(NftChain const& chain) {
        std::string into = chain.name;
        open(into);
        for (std::size_t i = 0; i < chain.rules.size(); ++i) {
            rule_ = {chain.name, i + 1, to_string(chain.rules[i]), false};
            origin_ = add_origin(rule_);
            failing_.reset();
            next_ = fmt::format("{}{}rule {}", chain.name, part_mark, i + 2);
            uses_next_ = false;
            body(into, without_passes(chain.rules[i].statements), {reach_of(chain)});
            if (uses_next_) {
                add(into, {}, Goto{next_}, fails());
                into = next_;
                open(into);
            }
        }
        if (chain.base && chain.base->drops && reach_of(chain) == Matches{})
            open(chain.name).rules.push_back({{}, Drop{.is_policy = true}, {}}); // the walk looks for it there
    }

    void give_up() {
        chains_.clear();
        for (auto const& base : shape_.bases)
            open(base.chain);
        open("others"); // no packet comes there before IPVS, but its rules may set marks that others save
        for (auto& [name, chain] : chains_)
            chain.rules.push_back({{}, UnknownTarget{"more than lbc looks at"}, {}});
    }

    Chain& open(std::string const& name) {
        auto& chain = chains_[name];
        chain.name = name;
        return chain;
    }

    std::uint32_t add_origin(RuleOrigin origin) {
        shape_.origins.push_back(std::move(origin));
        return static_cast<std::uint32_t>(shape_.origins.size() - 1);
    }

    std::uint32_t fails() {
        if (!failing_) {
            auto origin = rule_;
            origin.fails = true;
            failing_ = add_origin(std::move(origin));
        }
        return *failing_;
    }

    void add(std::string const& to, Matches when, Target then, std::uint32_t origin) {
        ++made_;
        if (is_too_much())
            return;
        auto& chain = chains_[to];
        chain.rules.push_back({finished(std::move(when)), std::move(then), {}});
        chain.origins.push_back(origin);
    }
    void add(std::string const& to, Matches when, Target then) { add(to, std::move(when), std::move(then), origin_); }

    /// Sends packets of these ways to the next rule: this rule does not match them.
    void leave(std::string const& from, Ways const& ways) {
        for (auto const& way : ways)
            add(from, way, Goto{next_}, fails());
        uses_next_ = uses_next_ || !ways.empty();
    }

    /// Translates a rule from one of its statements on, for packets of `ways`.
    void body(std::string const& into, Statements statements, Ways ways) {
        if (is_too_much())
            return;
        while (!statements.empty() && !ways.empty()) {
            auto const* match = std::get_if<NftMatch>(&statements.front());
            bool const passes = is_pass(statements.front()) && statements.size() > 1;
            if (match == nullptr && !passes)
                break;
            if (match != nullptr)
                ways = narrowed(into, std::move(ways), *match);
            statements = statements.subspan(1);
        }
        if (statements.empty()) {
            for (auto const& way : ways)
                add(into, way, Continue{});
            return;
        }
        auto const& effect = statements.front();
        auto const rest = statements.subspan(1);
        if (auto const* map = std::get_if<NftMapMark>(&effect))
            return look_up(into, *map, rest, ways);
        if (auto const* verdicts = std::get_if<NftVerdicts>(&effect))
            return decide(into, *verdicts, rest, ways);
        for (auto const& way : ways)
            carry_out(into, way, target_of(effect), rest);
    }

    void carry_out(std::string const& into, Matches const& way, Target const& target, Statements rest) {
        if (rest.empty() || !goes_on(target) || way == Matches{}) {
            add(into, way, target);
            return goes_on(target) && !rest.empty() ? body(into, rest, {way}) : void();
        }
        auto const part = fmt::format("{}{}{}", into, part_mark, ++parts_);
        open(part);
        add(into, way, Goto{part});
        add(part, {}, target);
        continue_in(part, rest);
    }

    /// Fills a chain that the walk enters by goto: packets that do not end there go to the next rule.
    void continue_in(std::string const& part, Statements rest) {
        body(part, rest, {Matches{}});
        if (ends(rest))
            return;
        add(part, {}, Goto{next_});
        uses_next_ = true;
    }

    /// Narrows ways to the packets that the match holds for. If a way cannot represent that, the other packets leave.
    Ways narrowed(std::string const& into, Ways ways, NftMatch const& match) {
        if (match.key.empty())
            return all_unknown(std::move(ways), match.unknown);
        auto const field = match.key.front();
        if (field == NftField::family)
            return (match.number == family_number()) != match.negated ? std::move(ways) : Ways{};
        if (std::ranges::find(match.key, destination_field(other_family())) != match.key.end())
            return {}; // also if negated: packets of this family lack the field
        if (field == NftField::in_type)
            return on_ethernet(into, std::move(ways), match);
        if (field == NftField::mark)
            return by_mark(std::move(ways), match);
        if (!match.interfaces.empty())
            return match.negated ? off_interfaces(into, std::move(ways), match) : on_interfaces(ways, match);
        auto const values = values_of(match);
        if (!values)
            return all_unknown(std::move(ways), "@" + match.set);
        if (!match.negated)
            return each(ways, match.key, *values);
        return none_of(into, std::move(ways), match.key, *values);
    }

    [[nodiscard]] std::uint32_t family_number() const { return family_ == Family::ipv4 ? nft_ipv4 : nft_ipv6; }
    [[nodiscard]] Family other_family() const { return family_ == Family::ipv4 ? Family::ipv6 : Family::ipv4; }

    [[nodiscard]] std::optional<std::span<NftElement const>> values_of(NftMatch const& match) const {
        if (match.set.empty())
            return match.elements;
        auto const* set = table_.find_set(match.set);
        if (set == nullptr || !set->unknown.empty() || set->key.size() != match.key.size())
            return std::nullopt;
        return set->elements;
    }

    static Ways all_unknown(Ways ways, std::string_view words) {
        for (auto& way : ways)
            add_unknown(way, words);
        return ways;
    }

    Ways each(Ways const& ways, NftKey const& key, std::span<NftElement const> values) {
        if (ways.size() > 1 && ways.size() * values.size() > most_ways)
            return all_unknown(ways, key_words(key));
        steps_ += ways.size() * values.size();
        Ways narrower;
        if (is_too_much())
            return narrower;
        for (auto const& way : ways)
            for (auto const& value : values)
                if (auto one = way; narrow(one, key, value))
                    narrower.push_back(std::move(one));
        return narrower;
    }

    /// The rule does not match a packet without the field either: from a device without Ethernet addresses, it has no
    /// MAC.
    Ways none_of(std::string const& into, Ways ways, NftKey const& key, std::span<NftElement const> values) {
        bool const is_mac = key.front() == NftField::source_mac && key.size() == 1;
        auto const last = values.empty() ? NftElement{} : values.back();
        bool const can_say = key.size() == 1 && std::ranges::all_of(ways, [&](Matches const& way) {
                                 return can_negate(way, key.front());
                             });
        if (!can_say && is_mac)
            return all_unknown(std::move(ways), "ether saddr");
        auto const others = can_say && !values.empty() ? values.first(values.size() - 1) : values;
        leave(into, each(ways, key, others));
        if (!can_say)
            return ways;
        for (auto& way : ways)
            if (!values.empty() || is_mac)
                negate(way, key.front(), last);
        return ways;
    }

    static Ways on_interfaces(Ways const& ways, NftMatch const& match) {
        if (ways.size() > 1 && ways.size() * match.interfaces.size() > most_ways)
            return all_unknown(ways, "iifname");
        Ways narrower;
        for (auto const& way : ways)
            for (auto const& interface : match.interfaces)
                if (auto one = way; narrow_interface(one, interface))
                    narrower.push_back(std::move(one));
        return narrower;
    }

    Ways off_interfaces(std::string const& into, Ways ways, NftMatch const& match) {
        bool const can_say = match.interfaces.size() == 1 &&
                             std::ranges::all_of(ways, [](Matches const& way) { return !way.in_interface; });
        if (!can_say)
            leave(into, on_interfaces(ways, match));
        for (auto& way : ways)
            if (can_say) {
                way.in_interface = match.interfaces.front();
                way.not_in_interface = true;
            }
        return ways;
    }

    /// A device has Ethernet addresses if its packets have a MAC: the zero MAC, which no device has, or another one.
    Ways on_ethernet(std::string const& into, Ways ways, NftMatch const& match) {
        if (match.number != nft_ether)
            return all_unknown(std::move(ways), "iiftype");
        Ways ethernet;
        for (auto const& way : ways) {
            if (way.source_mac) {
                ethernet.push_back(way); // it requires a MAC, or excludes one
                continue;
            }
            for (bool const is_zero : {true, false}) {
                auto& one = ethernet.emplace_back(way);
                one.source_mac = MacAddress{};
                one.not_source_mac = !is_zero;
            }
        }
        if (!match.negated)
            return ethernet;
        std::erase_if(ways, [](Matches const& way) { return way.source_mac.has_value(); });
        leave(into, ethernet);
        return ways;
    }

    static Ways by_mark(Ways ways, NftMatch const& match) {
        if (!match.negated) {
            std::erase_if(ways, [&](Matches& way) { return !narrow_mark(way, match.number, match.mask); });
            return ways;
        }
        for (auto& way : ways) {
            if (way.mark) {
                add_unknown(way, "meta mark");
                continue;
            }
            way.mark = Fwmark{match.number};
            way.mark_mask = match.mask;
            way.not_mark = true;
        }
        return ways;
    }

    /// The packet gets the mark of the element that it matches.
    void look_up(std::string const& into, NftMapMark const& map, Statements rest, Ways ways) {
        if (std::ranges::find(map.key, destination_field(other_family())) != map.key.end())
            return;
        auto const* set = table_.find_set(map.set);
        if (set == nullptr || !set->unknown.empty() || set->key.size() != map.key.size()) {
            for (auto const& way : all_unknown(std::move(ways), "@" + map.set))
                carry_out(into, way, UnknownMark{"map @" + map.set}, rest);
            return;
        }
        std::map<Fwmark, std::string> parts;
        for (auto const& element : set->elements)
            for (auto way : ways) {
                ++steps_;
                if (is_too_much())
                    return;
                if (!narrow(way, map.key, element))
                    continue;
                if (rest.empty()) {
                    add(into, std::move(way), SetMark{element.mark});
                    continue;
                }
                auto& part = parts[element.mark];
                if (part.empty()) {
                    part = fmt::format("{}{}{}", into, part_mark, ++parts_);
                    open(part);
                    add(part, {}, SetMark{element.mark});
                    continue_in(part, rest);
                }
                add(into, std::move(way), Goto{part});
            }
    }

    void decide(std::string const& into, NftVerdicts const& verdicts, Statements rest, Ways const& ways) {
        for (auto const& [match, verdict] : verdicts.cases) {
            // A case that cannot be told apart from the others may hold or not: they are tried in turn.
            auto const target = std::visit([](auto const& one) -> Target { return one; }, verdict);
            for (auto const& way : narrowed(into, ways, match))
                carry_out(into, way, target, rest);
        }
    }

    NftState const& table_;
    Family family_;
    Ruleset out_;
    TableShape shape_;
    std::map<std::string, Chain> chains_;

    RuleOrigin rule_; // the rule in translation
    std::uint32_t origin_ = 0;
    std::optional<std::uint32_t> failing_;
    std::string next_; // the chain for packets that the rule does not match
    bool uses_next_ = false;
    std::size_t parts_ = 0;
    std::size_t most_;
    std::size_t made_ = 0;
    std::size_t steps_ = 0;
};

} // namespace

std::optional<Ruleset> ruleset_of(NftState const& table, Family family, RuleBudget& budget) {
    if (!concerns(table, family))
        return std::nullopt;
    Translator translator(table, family, budget.left);
    auto rules = translator.run();
    budget.left -= std::min(budget.left, translator.made());
    return rules;
}

std::optional<Ruleset> ruleset_of(NftState const& table, Family family) {
    RuleBudget budget;
    return ruleset_of(table, family, budget);
}

} // namespace lbc
