// From statements to a Site: names are resolved, values checked, defaults filled in, marks allocated. Every mistake is
// reported, many in one run; a Site is only what it says if no error was.
#pragma once

#include "compiler/load.hpp"
#include "compiler/site.hpp"

namespace lbc {

/// Reads the statements. What could not be read is left out of the site.
[[nodiscard]] Site resolve(Program const& program, Diagnostics& diagnostics);

/// Rules about the whole site, after `resolve`: conflicts, missing MACs, warnings. Never changes the site.
void check(Site const& site, Diagnostics& diagnostics);

/// Loads, resolves and checks.
[[nodiscard]] Site compile(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
                           std::vector<std::string> const& include_from = {});

} // namespace lbc
