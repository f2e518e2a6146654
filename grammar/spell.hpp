// Spelling hints: finds the known word that a misspelt one probably means, for "did you mean …?".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// The candidate nearest to `word` by edit distance; of several equally near ones, the first. An empty view if none is
/// near enough: at most a third of the letters may differ, or one letter. Also empty if there are more than 1000
/// candidates.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<std::string_view const> candidates);

/// "; did you mean `scheduler`?", or an empty text.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<std::string_view const> candidates);

/// The same for names that a site defines. There may be many names and many mistakes, so after this many errors no hint
/// is looked for.
inline constexpr std::size_t most_hinted = 200;
[[nodiscard]] inline std::string did_you_mean(std::string_view word, std::span<std::string_view const> candidates,
                                              std::size_t errors) {
    return errors < most_hinted ? did_you_mean(word, candidates) : std::string();
}

} // namespace lbc
