// Rules of directors as files have them: what iptables-save and ip6tables-save print, or rules.sh.
#pragma once

#include "cli/run.hpp"
#include "compiler/ruleset.hpp"

#include <array>
#include <expected>
#include <optional>
#include <string>

namespace lbc {

/// A director's rules; nothing of a family that no file has.
using Dump = std::array<std::optional<Netfilter>, families.size()>;

/// Adds what a file has, `-` for standard input. `family` is that of a text which does not tell; of rules.sh, both are
/// added. The error is for people, and says the file and the line.
[[nodiscard]] std::expected<void, std::string> add_dump(Dump& dump, std::string const& path,
                                                        std::optional<Family> family, std::string const& director,
                                                        FileReader& files);

/// What a folder has of one director: DIR/NAME/iptables.rules and ip6tables.rules, as `compile --emit all` names them.
[[nodiscard]] std::expected<Dump, std::string> read_dumps(std::string const& folder, std::string const& director,
                                                          FileReader& files);

} // namespace lbc
