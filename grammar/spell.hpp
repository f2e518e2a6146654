// Did you mean …?
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lbc {

/// The candidate nearest to `word` by edit distance, or an empty view where none is near enough to be meant: at most
/// a third of the letters may differ. More than 1000 candidates are not looked through. The first of several equally
/// near ones is taken.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<std::string_view const> candidates);

/// "; did you mean `scheduler`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<std::string_view const> candidates);

/// The same of names that a site gives, of which there may be many, and as many mistakes: behind so many errors, nobody
/// needs a hint.
inline constexpr std::size_t most_hinted = 200;
[[nodiscard]] inline std::string did_you_mean(std::string_view word, std::span<std::string_view const> candidates,
                                              std::size_t errors) {
    return errors < most_hinted ? did_you_mean(word, candidates) : std::string();
}

} // namespace lbc
