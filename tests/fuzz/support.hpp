// What fuzz targets share: an assertion that says what did not hold, sites of a size whose run is short, and what every
// artefact must be.
#pragma once

#include "cli/input/site_input.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace lbc::fuzz {

/// Ends the run if it does not hold, with words for the reader of the fuzzer's report.
void require(bool holds, std::string_view what, std::string_view context = {});

/// The file `site.lb` of that text, compiled as commands compile it; includes find nothing.
[[nodiscard]] std::unique_ptr<SiteInput> read_site(std::string const& text);

/// Whether the site is so small that everything about it is done in a moment: a fuzzer learns nothing from a site of
/// ten thousand services. What bounds lbc has itself is asked of it by tests.
[[nodiscard]] bool is_small(Site const& site);

/// One JSON text in UTF-8.
void require_json(std::string_view text);

/// Text in lines, each ended, without a control character, and none longer than `longest` bytes.
void require_lines(std::string_view text, std::string_view what, std::size_t longest);

} // namespace lbc::fuzz
