#include "compiler/layout/tree.hpp"

#include "compiler/layout/chain_entries.hpp"
#include "compiler/layout/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <numeric>
#include <set>
#include <span>

namespace lbc {
namespace {

constexpr std::size_t longest_name = 28;           // XT_EXTENSION_MAXNAMELEN without the NUL
constexpr std::string_view entry_chain = "LBC-IN"; // entered by packets for the networks of VIPs

struct Placed {
    ChainEntry item;
    std::size_t order; // position among all entries
    std::size_t rules;
};

using Items = std::vector<Placed const*>;

/// The longest prefix that contains all of them; they are sorted by destination.
Prefix common_prefix(std::span<Placed const* const> items) {
    return Prefix::common(items.front()->item.destination, items.back()->item.destination);
}

std::size_t rules_of(std::span<Placed const* const> items) {
    return std::transform_reduce(items.begin(), items.end(), std::size_t{0}, std::plus(),
                                 [](Placed const* one) { return one->rules; });
}

/// A run of the entries, sorted by destination, and the prefix that contains them.
struct Node {
    Prefix prefix;
    std::span<Placed const*> items;
    std::size_t rules = 0;

    explicit Node(std::span<Placed const*> of) : prefix(common_prefix(of)), items(of), rules(rules_of(of)) {}
    [[nodiscard]] bool is_one_destination() const {
        return items.front()->item.destination == items.back()->item.destination;
    }
};

/// Splits the addresses of a set of entries into disjoint parts.
class Partition {
public:
    explicit Partition(std::span<Placed const*> items) : nodes_{Node(items)} {}

    /// Splits into up to `most` parts, none of which is `region` itself. It halves the part with the most rules, as
    /// long as that has more than `enough` rules and several destinations.
    void split(std::size_t most, std::size_t enough, std::optional<Prefix> const& region) {
        for (;;) {
            auto const is_region = [&](Node const& node) { return region && node.prefix == *region; };
            auto next = std::ranges::find_if(nodes_, is_region);
            if (next == nodes_.end()) {
                next = std::ranges::max_element(
                    nodes_, {}, [](Node const& node) { return node.is_one_destination() ? 0 : node.rules; });
                if (nodes_.size() >= most || next->rules <= enough || next->is_one_destination())
                    return;
            }
            halve(static_cast<std::size_t>(next - nodes_.begin()));
        }
    }

    [[nodiscard]] std::vector<Node> const& nodes() const { return nodes_; } // ordered by address
    [[nodiscard]] Items const& wider() const { return wider_; }             // entries whose prefix spans several parts

private:
    void halve(std::size_t index) {
        auto node = nodes_[index];
        auto const is_wide = [&](Placed const* one) { return one->item.destination == node.prefix; };
        auto const rest = std::ranges::find_if_not(node.items, is_wide);
        if (rest != node.items.begin()) {
            wider_.insert(wider_.end(), node.items.begin(), rest);
            nodes_[index] = Node({rest, node.items.end()});
            return;
        }
        auto const middle = std::ranges::partition_point(
            node.items, [&](Placed const* one) { return !one->item.destination.address.bit(node.prefix.length); });
        nodes_[index] = Node({node.items.begin(), middle});
        nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(index) + 1, Node({middle, node.items.end()}));
    }

    std::vector<Node> nodes_;
    Items wider_;
};

/// A chain under construction, and the names of the chains that it leads to.
struct Growing {
    Chain chain;
    std::string stem;
    unsigned used = 0;

    [[nodiscard]] std::optional<std::string> next_name() {
        constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        if (used == digits.size() || stem.size() == longest_name)
            return std::nullopt;
        return stem + digits[used++];
    }
};

class Tree {
public:
    Tree(RuleWriter const& writer, TreeShape shape, std::vector<Chain>& chains)
        : writer_(writer), shape_(shape), chains_(chains) {}

    void grow(std::string_view name, Part part) {
        if (part.empty())
            return;
        auto const items = own(merge_neighbours(std::move(part.items), ports_));
        Growing root{{std::string(name), std::move(part.lead)}, stem_of(name)};
        by_destination(root, {}, items);
        chains_.push_back(std::move(root.chain));
    }

    /// The same for the entry chain: rules before the lead let other traffic leave early. Returns the network that
    /// contains all destinations; none if that is every address, or the part is empty.
    std::optional<Prefix> grow_entry(std::string_view name, Part part) {
        if (part.empty())
            return std::nullopt;
        auto const items = own(merge_neighbours(std::move(part.items), ports_));
        auto everything = items;
        std::ranges::copy(own(part.said), std::back_inserter(everything));
        auto sorted = sort(std::move(everything));
        Partition outside(sorted);
        auto const whole = outside.nodes().front().prefix;
        outside.split(shape_.networks, 1, {});
        Growing root{{std::string(name), {}}, stem_of(name)};
        if (outside.wider().empty() && is_sparse(outside.nodes(), whole)) {
            for (auto const& node : outside.nodes())
                root.chain.rules.push_back({to(node.prefix), Goto{std::string(entry_chain)}, "a network of VIPs"});
            chains_.push_back(std::move(root.chain));
            root.chain = {std::string(entry_chain), {}};
        }
        std::ranges::move(part.lead, std::back_inserter(root.chain.rules));
        by_destination(root, {}, items);
        chains_.push_back(std::move(root.chain));
        return whole.length == 0 ? std::nullopt : std::optional(whole);
    }

private:
    static std::string stem_of(std::string_view name) { return std::string(name) + "-"; }

    /// Whether the parts cover less than half of the whole.
    static bool is_sparse(std::vector<Node> const& parts, Prefix const& whole) {
        double share = 0;
        for (auto const& part : parts)
            share += std::ldexp(1.0, whole.length - part.prefix.length);
        return share < 0.5;
    }

    static Matches to(Prefix const& destination) {
        Matches when;
        when.destination = destination;
        return when;
    }

    static Items sort(Items items) {
        auto const destination = [](Placed const* one) -> Prefix const& { return one->item.destination; };
        if (!std::ranges::is_sorted(items, {}, destination))
            std::ranges::stable_sort(items, {}, destination);
        return items;
    }

    Items own(std::vector<ChainEntry> const& items) {
        Items pointers;
        pointers.reserve(items.size());
        auto& placed = blocks_.emplace_back();
        placed.reserve(items.size()); // pointers to its elements stay valid
        for (auto const& item : items)
            pointers.push_back(&placed.emplace_back(Placed{item, next_order_++, RuleWriter::count(item)}));
        return pointers;
    }

    void write(Growing& at, Items items) {
        std::ranges::sort(items, {}, &Placed::order);
        at.chain.rules.reserve(at.chain.rules.size() + rules_of(items));
        for (auto const* one : items)
            writer_.append(one->item, at.chain.rules);
    }

    /// Adds a chain for the entries, which packets that match `when` enter; `fill` adds its rules. If more rules follow
    /// for the same packets, they return and continue. No packet is in two classes, so the result of the chain stays.
    template <typename Fill>
    void lead_on(Growing& at, Matches when, Items const& items, bool more_follows, Fill fill) {
        auto name = at.next_name();
        if (!name) // no site is large enough for that
            return write(at, items);
        at.chain.rules.push_back({std::move(when), more_follows ? Target{Jump{*name}} : Target{Goto{*name}}, {}});
        Growing next{{*name, {}}, *name};
        fill(next);
        chains_.push_back(std::move(next.chain));
    }

    /// The chain is entered by packets for addresses in `region`; every entry shares addresses with it.
    void by_destination(Growing& at, std::optional<Prefix> const& region, Items const& items) {
        if (rules_of(items) <= shape_.leaf)
            return write(at, items);
        Items inner;
        Items wider;
        for (auto const* one : items)
            (region && one->item.destination.contains(*region) ? wider : inner).push_back(one);
        if (inner.empty())
            return by_protocol(at, wider);
        inner = sort(std::move(inner));
        Partition parts(inner);
        parts.split(shape_.fan_out, shape_.leaf, region);
        wider.insert(wider.end(), parts.wider().begin(), parts.wider().end());
        for (auto const& node : parts.nodes()) {
            Items within(node.items.begin(), node.items.end());
            if (node.rules == 1) {
                write(at, within); // the wider entries follow
                continue;
            }
            lead_on(at, to(node.prefix), within, !wider.empty(),
                    [&](Growing& next) { by_destination(next, node.prefix, within); });
        }
        if (!wider.empty())
            by_protocol(at, wider);
    }

    void by_protocol(Growing& at, Items const& items) {
        if (rules_of(items) <= shape_.leaf)
            return write(at, items);
        std::set<std::uint8_t> protocols;
        for (auto const* one : items)
            protocols.insert(one->item.protocol);
        if (protocols.size() == 1)
            return by_port(at, *protocols.begin(), items);
        Items any;
        std::ranges::copy_if(items, std::back_inserter(any), [](Placed const* one) { return one->item.protocol == 0; });
        for (auto const protocol : protocols) {
            if (protocol == 0)
                continue;
            Items some;
            std::ranges::copy_if(items, std::back_inserter(some),
                                 [&](Placed const* one) { return one->item.protocol == protocol; });
            Matches when;
            when.protocol = protocol;
            lead_on(at, when, some, !any.empty(), [&](Growing& next) { by_port(next, protocol, some); });
        }
        write(at, any);
    }

    /// One port range of an entry.
    struct Atom {
        PortRange ports;
        Placed const* one;
        friend bool operator==(Atom const&, Atom const&) = default;
    };

    void by_port(Growing& at, std::uint8_t protocol, Items const& items) {
        Items any;
        std::vector<Atom> atoms;
        for (auto const* one : items) {
            if (one->item.ports.empty())
                any.push_back(one);
            for (auto const& range : one->item.ports)
                atoms.push_back({range, one});
        }
        std::ranges::stable_sort(atoms, {}, [](Atom const& atom) { return atom.ports; });
        // A range that contains many others would prevent cuts between them, so such ranges follow the parts.
        std::vector<Atom> wide;
        std::ranges::copy_if(atoms, std::back_inserter(wide), [&](Atom const& atom) {
            auto const first = [](Atom const& other) { return other.ports.first; };
            auto const from = std::ranges::lower_bound(atoms, atom.ports.first, {}, first);
            return std::ranges::upper_bound(from, atoms.end(), atom.ports.last, {}, first) - from >
                   static_cast<std::ptrdiff_t>(shape_.leaf);
        });
        std::erase_if(atoms, [&](Atom const& atom) { return std::ranges::find(wide, atom) != wide.end(); });
        any = items_of(wide, any);
        by_port(at, protocol, atoms, !any.empty());
        write(at, any);
    }

    void by_port(Growing& at, std::uint8_t protocol, std::vector<Atom> const& atoms, bool more_follows) {
        auto const items = items_of(atoms, {});
        auto const parts = rules_of(items) <= shape_.leaf ? std::vector<std::vector<Atom>>{} : cut(atoms);
        if (parts.size() < 2)
            return write(at, items);
        for (auto const& part : parts) {
            Matches when;
            when.protocol = protocol;
            PortRange range = part.front().ports;
            for (auto const& atom : part)
                range.last = std::max(range.last, atom.ports.last);
            when.destination_ports = {range};
            lead_on(at, when, items_of(part, {}), more_follows,
                    [&](Growing& next) { by_port(next, protocol, part, false); });
        }
    }

    /// Cuts the ranges so that no port is in two parts. Returns one part if there is no place to cut.
    [[nodiscard]] std::vector<std::vector<Atom>> cut(std::vector<Atom> const& atoms) const {
        auto const enough = std::max(shape_.leaf, (atoms.size() + shape_.fan_out - 1) / shape_.fan_out);
        std::vector<std::vector<Atom>> parts(1);
        Port last;
        for (auto const& atom : atoms) {
            if (parts.back().size() >= enough && atom.ports.first > last)
                parts.emplace_back();
            parts.back().push_back(atom);
            last = std::max(last, atom.ports.last);
        }
        return parts;
    }

    /// The entries of the atoms, each with its ports among them, added to `any`.
    Items items_of(std::vector<Atom> const& atoms, Items const& any) {
        std::map<Placed const*, std::vector<PortRange>> parts;
        for (auto const& atom : atoms)
            parts[atom.one].push_back(atom.ports);
        Items items = any;
        for (auto& [whole, ports] : parts) {
            auto part = whole->item;
            part.ports = ports_.emplace_back(std::move(ports));
            auto const rules = RuleWriter::count(part);
            items.push_back(&owned_.emplace_back(Placed{part, whole->order, rules}));
        }
        return items; // `write` sorts them
    }

    RuleWriter const& writer_;
    TreeShape shape_;
    std::vector<Chain>& chains_;
    std::deque<std::vector<Placed>> blocks_; // whole entries
    std::deque<Placed> owned_;               // parts of an entry
    PortLists ports_;
    std::size_t next_order_ = 0;
};

} // namespace

Ruleset layout_tree(Site const& site, MarkTable const& table, Family family) {
    return layout_tree(site, table, family, {});
}

Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, TreeShape shape) {
    return layout_tree(site, table, family, parts_of(table, family), shape);
}

Ruleset layout_tree(Site const& site, MarkTable const& table, Family family, Parts parts, TreeShape shape) {
    RuleWriter const writer(site, table);
    std::vector<Chain> chains;
    Tree tree(writer, shape, chains);
    auto const network = tree.grow_entry(marks_chain, std::move(parts.marks));
    tree.grow(peers_chain, std::move(parts.peers));
    tree.grow(output_chain, std::move(parts.output));
    tree.grow(guard_chain, std::move(parts.guard));
    return assemble(std::move(chains), family, network);
}

} // namespace lbc
