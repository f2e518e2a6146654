// From a path to statements: reads a site file and the files it includes, in source order.
#pragma once

#include "grammar/ast.hpp"
#include "grammar/diagnostic.hpp"
#include "grammar/files.hpp"

#include <deque>
#include <string>
#include <vector>

namespace lbc {

/// The top-level statements of a file; those of an included file stand in the place of the include.
struct Program {
    std::deque<ast::File> files; // a deque: nodes point into it
    std::vector<ast::Node> statements;
};

/// The deepest nesting of includes.
inline constexpr std::size_t max_include_depth = 16;
/// The most files of one run, and the most bytes of them together; a file counts as often as it is included.
inline constexpr std::size_t max_files = 10'000;
inline constexpr std::size_t max_site_size = std::size_t{64} << 20U;

/// Never fails: reports and leaves out a file that cannot be read. Includes must be in the site's folder or in one of
/// `include_from`.
[[nodiscard]] Program load(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
                           std::vector<std::string> const& include_from = {});

} // namespace lbc
