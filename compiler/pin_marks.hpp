// Marks by allocation, made part of the source: where a `mark` statement belongs, and the text with it. The site that
// is compiled from that text has the same marks on every packet, and keeps them when a service gets another name.
#pragma once

#include "compiler/load.hpp"
#include "compiler/site.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// A `mark` statement that a service's block lacks, as text to put into its file.
struct MarkPin {
    FileId file{};
    std::uint32_t offset = 0; // where in the file
    std::string text;         // with the `;` or the line break that parts it from its neighbours
    std::string service;
    Fwmark mark;
};

/// What every service with an allocated mark lacks, in the order of the site's services. The mark goes behind the
/// ports, where the block has none behind the VIPs, else to its beginning. `program` and `sources` are those that the
/// site was made of, without an error.
///
///     service web {                     service web {
///         vip  192.0.2.1                    vip  192.0.2.1
///         port tcp 80                       port tcp 80
///         real lb1                          mark 0x2f3
///     }                                     real lb1
///                                       }
[[nodiscard]] std::vector<MarkPin> find_mark_pins(Site const& site, Program const& program, Sources const& sources);

/// A file's text with its pins, which are in the order of their offsets.
[[nodiscard]] std::string with_mark_pins(std::string_view text, std::span<MarkPin const> pins);

} // namespace lbc
