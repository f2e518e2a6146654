// Matches shell patterns (glob(7)) against a tree of names, part by part. The number of names that it looks at is
// bounded, because a pattern would not end among links that lead in circles.
#pragma once

#include "grammar/files.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// The most names that all patterns of one site are compared with, together.
inline constexpr std::size_t most_pattern_steps = 250'000;

/// The tree of names that patterns are matched against.
class PatternTree {
public:
    enum class Kind : std::uint8_t { none, folder, other };

    PatternTree() = default;
    PatternTree(PatternTree const&) = delete;
    PatternTree& operator=(PatternTree const&) = delete;
    virtual ~PatternTree() = default;

    /// The names in a folder, at most `most` + 1; none if it is not a folder. The folder's path ends in `/`, or is
    /// empty.
    [[nodiscard]] virtual FilePaths names_in(std::string const& folder, std::size_t most) = 0;
    [[nodiscard]] virtual std::expected<Kind, FileProblem> kind_of(std::string const& path) = 0;
};

/// The paths that match, each with `start` before it, sorted by byte. Subtracts the names that it looks at from
/// `steps`. A match that cannot be examined is still returned: whoever reads it reports why.
[[nodiscard]] FilePaths match_pattern(PatternTree& tree, std::string const& start, std::string_view pattern,
                                      std::size_t& steps);

} // namespace lbc
