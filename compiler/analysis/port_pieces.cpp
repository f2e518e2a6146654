#include "compiler/analysis/port_pieces.hpp"

#include <algorithm>
#include <iterator>

namespace lbc {
namespace {

void append(Pieces& pieces, Piece const& next) {
    if (!pieces.empty() && pieces.back().set == next.set && pieces.back().last + 1 == next.first)
        pieces.back().last = next.last;
    else
        pieces.push_back(next);
}

} // namespace

OutcomeSets::Id OutcomeSets::of(Outcomes const& outcomes) {
    auto const [place, is_new] = ids_.try_emplace(outcomes, static_cast<Id>(sets_.size()));
    if (is_new)
        sets_.push_back(&place->first);
    return place->second;
}

OutcomeSets::Id OutcomeSets::unite(Id a, Id b) {
    if (a == b || b == empty)
        return a;
    if (a == empty)
        return b;
    Outcomes both;
    std::ranges::set_union(*sets_[a], *sets_[b], std::back_inserter(both));
    return of(both);
}

std::size_t cut_at(Pieces& pieces, std::uint32_t port) {
    auto const found = std::ranges::lower_bound(pieces, port, {}, &Piece::last);
    auto const index = static_cast<std::size_t>(found - pieces.begin());
    if (found == pieces.end() || found->first >= port)
        return index;
    Piece const head{found->first, port - 1, found->set};
    found->first = port;
    pieces.insert(found, head);
    return index + 1;
}

void unite(Pieces& into, Pieces other, OutcomeSets& sets) {
    if (other.empty())
        return;
    if (into.empty() || into.back().last < other.front().first) {
        for (auto const& piece : other)
            append(into, piece);
        return;
    }
    Pieces all;
    auto a = into.begin();
    auto b = other.begin();
    while (a != into.end() || b != other.end()) {
        if (b == other.end() || (a != into.end() && a->last < b->first)) {
            append(all, *a++);
        } else if (a == into.end() || b->last < a->first) {
            append(all, *b++);
        } else if (a->first != b->first) { // the part that only one has
            auto& earlier = a->first < b->first ? *a : *b;
            auto const next = std::max(a->first, b->first);
            append(all, {earlier.first, next - 1, earlier.set});
            earlier.first = next;
        } else {
            auto const last = std::min(a->last, b->last);
            append(all, {a->first, last, sets.unite(a->set, b->set)});
            for (auto* const one : {&a, &b})
                if ((*one)->last == last)
                    ++*one;
                else
                    (*one)->first = last + 1;
        }
    }
    into = std::move(all);
}

std::vector<PortRange> ports_of(Matches const& when) {
    auto ranges = when.destination_ports;
    std::ranges::sort(ranges);
    std::vector<PortRange> merged;
    for (auto const& range : ranges)
        if (!merged.empty() && range.first.value <= std::uint32_t{merged.back().last.value} + 1)
            merged.back().last = std::max(merged.back().last, range.last);
        else
            merged.push_back(range);
    if (!when.not_destination_ports)
        return merged;
    std::vector<PortRange> others;
    std::uint32_t next = 0;
    for (auto const& range : merged) {
        if (range.first.value > next)
            others.push_back(
                {Port{static_cast<std::uint16_t>(next)}, Port{static_cast<std::uint16_t>(range.first.value - 1)}});
        next = std::uint32_t{range.last.value} + 1;
    }
    if (next <= 65535)
        others.push_back({Port{static_cast<std::uint16_t>(next)}, Port{65535}});
    return others;
}

namespace {

bool are_dropped(Outcomes const& outcomes) { return std::ranges::all_of(outcomes, &Outcome::dropped); }

} // namespace

std::vector<PortOutcomes> either(std::vector<PortOutcomes> const& a, std::vector<PortOutcomes> const& b) {
    std::vector<PortOutcomes> found;
    for_each_overlap(a, b, [&](PortRange ports, Outcomes const& one, Outcomes const& other) {
        Outcomes both;
        std::ranges::set_union(one, other, std::back_inserter(both));
        // If one way drops all packets and the other does not, this is more than a drop of some packets.
        if (are_dropped(one) != are_dropped(other))
            both = {Outcome::anything(true)};
        found.push_back({ports, std::move(both)});
    });
    return found;
}

} // namespace lbc
