// From a path to statements: reads a site file and the files it includes, in the order of the source.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/files.hpp"

#include <deque>
#include <string>
#include <vector>

namespace lbc {

/// The top-level statements of a file and of all that it includes, each include in the place where it stands.
struct Program {
    std::deque<ast::File> files; // a deque: nodes point into it
    std::vector<ast::Node> statements;
};

/// How deep files may include files.
inline constexpr std::size_t max_include_depth = 16;
/// How many files one run reads, and how many bytes of them; a file counts as often as it is included.
inline constexpr std::size_t max_files = 10'000;
inline constexpr std::size_t max_site_size = std::size_t{64} << 20U;

/// Never fails: what cannot be read is reported and left out. Includes are of the site's folder, or of one of
/// `include_from`.
[[nodiscard]] Program load(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
                           std::vector<std::string> const& include_from = {});

} // namespace lbc
