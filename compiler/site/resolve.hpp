// From statements to a Site: resolves names, checks values, fills in defaults and allocates marks. One run reports as
// many mistakes as possible. A Site is only reliable if no error was reported.
#pragma once

#include "compiler/site/load.hpp"
#include "compiler/site/site.hpp"

namespace lbc {

/// Reads the statements. Leaves out of the site what could not be read.
[[nodiscard]] Site resolve(Program const& program, Diagnostics& diagnostics);

/// Checks the whole site, after `resolve`: conflicts, missing MACs, warnings. Never changes the site.
void check(Site const& site, Diagnostics& diagnostics);

/// Loads, resolves and checks.
[[nodiscard]] Site compile(std::string const& path, FileReader& reader, Sources& sources, Diagnostics& diagnostics,
                           std::vector<std::string> const& include_from = {});

} // namespace lbc
