#include "grammar/spell.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace lbc {
namespace {

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost one each.
std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before(right.size() + 1);
    std::vector<std::size_t> above(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            auto const same = left[i - 1] == right[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[right.size()];
}

} // namespace

std::string_view nearest(std::string_view word, std::span<std::string_view const> candidates) {
    constexpr std::size_t longest_word = 64; // bounds the work for hostile input
    constexpr std::size_t most_candidates = 1000;
    if (word.size() > longest_word || candidates.size() > most_candidates)
        return {};
    std::string_view best;
    auto best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (auto const candidate : candidates) {
        if (std::max(candidate.size(), word.size()) - std::min(candidate.size(), word.size()) >= best_distance)
            continue; // each surplus letter costs one
        auto const distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<std::string_view const> candidates) {
    auto const best = nearest(word, candidates);
    return best.empty() ? std::string{} : "; did you mean `" + std::string(best) + "`?";
}

} // namespace lbc
