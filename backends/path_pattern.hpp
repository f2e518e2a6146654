// Shell patterns (glob(7)) over a tree of names, part by part, with a bound on the names that are looked at: among
// links that lead in circles a pattern has no end otherwise.
#pragma once

#include "grammar/files.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// How many names the patterns of one site are compared with, all together.
inline constexpr std::size_t most_pattern_steps = 250'000;

/// What patterns are matched against.
class PatternTree {
public:
    enum class Kind : std::uint8_t { none, folder, other };

    PatternTree() = default;
    PatternTree(PatternTree const&) = delete;
    PatternTree& operator=(PatternTree const&) = delete;
    virtual ~PatternTree() = default;

    /// The names in a folder, at most `most` and one more; nothing where it is no folder. Its path ends with a `/`, or
    /// is empty.
    [[nodiscard]] virtual FilePaths names_in(std::string const& folder, std::size_t most) = 0;
    [[nodiscard]] virtual std::expected<Kind, FileProblem> kind_of(std::string const& path) = 0;
};

/// The paths that match, each behind `start`, sorted by byte. What is looked at is taken off `steps`. A match that
/// cannot be looked at is one all the same: who reads it says why.
[[nodiscard]] FilePaths match_pattern(PatternTree& tree, std::string const& start, std::string_view pattern,
                                      std::size_t& steps);

} // namespace lbc
