// Pins allocated marks in the source: finds where `mark` statements belong, and inserts them. The site that is compiled
// from the new text marks every packet the same, and keeps its marks when a service is renamed.
#pragma once

#include "compiler/site/load.hpp"
#include "compiler/site/site.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// A `mark` statement that is missing in a service's block, as text to insert into its file.
struct MarkPin {
    FileId file{};
    std::uint32_t offset = 0; // where in the file
    std::string text;         // with the `;` or line break that separates it from its neighbours
    std::string service;
    Fwmark mark;
};

/// The pins of all services with an allocated mark, in the order of the site's services. A mark goes behind the ports;
/// if the block has none, behind the VIPs; else to the beginning of the block. `program` and `sources` are those of the
/// site, which must be free of errors.
///
///     service web {                     service web {
///         vip  192.0.2.1                    vip  192.0.2.1
///         port tcp 80                       port tcp 80
///         real lb1                          mark 0x2f3
///     }                                     real lb1
///                                       }
[[nodiscard]] std::vector<MarkPin> find_mark_pins(Site const& site, Program const& program, Sources const& sources);

/// The text of a file with its pins inserted; `pins` are sorted by offset.
[[nodiscard]] std::string with_mark_pins(std::string_view text, std::span<MarkPin const> pins);

} // namespace lbc
