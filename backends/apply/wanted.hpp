// The parts of what `apply` and `remove` want of a director, from its site.
#pragma once

#include "backends/apply/apply.hpp"
#include "backends/apply/mark_backend.hpp"

#include <filesystem>

namespace lbc {

/// Marks by nothing.
void want_no_marks(Wanted& wanted);

/// Marks with `tool`, and with nothing else. nftables has no layout.
void want_marks(Site const& site, Plan const& plan, MarkTool tool, Layout layout, Wanted& wanted);

/// The state of IPVS, or of keepalived with its file at `path` if that programs IPVS.
void want_ipvs(Site const& site, Plan const& plan, std::filesystem::path const& path, Wanted& wanted);

} // namespace lbc
