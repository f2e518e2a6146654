#include "backends/nft/nft_difference.hpp"

#include <algorithm>
#include <iterator>

namespace lbc {
namespace {

/// An element that is added to a map or removed from it.
struct Move {
    Prefix destination;
    std::size_t map;
    bool comes;
};

/// The maps of the additions, or of the removals, at and above a destination in the tree of prefixes: none, one or
/// several.
class Side {
public:
    void add(std::size_t map) {
        several_ = several_ || (map_ && *map_ != map);
        map_ = map;
    }
    [[nodiscard]] bool has_other_than(std::size_t map) const { return several_ || (map_ && *map_ != map); }

private:
    std::optional<std::size_t> map_;
    bool several_ = false;
};

struct Level {
    Prefix destination;
    Side comes;
    Side goes;
};

/// Whether packets for one destination may move from one map to another. If many services of a destination change, this
/// may be true without need, which only costs the slower way.
bool crosses_maps(std::vector<Move> moves) {
    std::ranges::sort(moves, {}, &Move::destination); // a prefix before all prefixes within it
    std::vector<Level> path;                          // each within the one before it, at most one for each length
    for (auto const& move : moves) {
        while (!path.empty() && !path.back().destination.contains(move.destination))
            path.pop_back();
        if (path.empty() || path.back().destination != move.destination) {
            auto level = path.empty() ? Level{} : path.back();
            level.destination = move.destination;
            path.push_back(level);
        }
        auto& level = path.back();
        if ((move.comes ? level.goes : level.comes).has_other_than(move.map))
            return true;
        (move.comes ? level.comes : level.goes).add(move.map);
    }
    return false;
}

bool has_same_rules(NftState const& a, NftState const& b) {
    auto const empty = [](NftState state) {
        for (auto& set : state.sets)
            set.elements.clear();
        return state;
    };
    return is_same(empty(a), empty(b));
}

} // namespace

std::optional<std::vector<NftElementChange>> element_changes(NftState const& now, NftState const& wanted) {
    if (!has_same_rules(now, wanted))
        return std::nullopt;
    std::vector<NftElementChange> changes;
    std::vector<Move> moves;
    for (auto const& set : wanted.sets) {
        auto before = now.find_set(set.name)->elements;
        auto after = set.elements;
        std::ranges::sort(before);
        std::ranges::sort(after);
        NftElementChange change{&set, {}, {}};
        std::ranges::set_difference(before, after, std::back_inserter(change.removed));
        std::ranges::set_difference(after, before, std::back_inserter(change.added));
        if (change.empty())
            continue;
        if (set.is_map) {
            for (auto const& element : change.removed)
                moves.push_back({element.destination, changes.size(), false});
            for (auto const& element : change.added)
                moves.push_back({element.destination, changes.size(), true});
        }
        changes.push_back(std::move(change));
    }
    if (crosses_maps(std::move(moves)))
        return std::nullopt;
    return changes;
}

std::vector<NftElementChange> all_elements(NftState const& state) {
    std::vector<NftElementChange> changes;
    for (auto const& set : state.sets)
        if (!set.elements.empty())
            changes.push_back({&set, {}, set.elements});
    return changes;
}

} // namespace lbc
