// Rules of directors as files have them: what iptables-save and ip6tables-save print, or rules.sh.
#pragma once

#include "cli/run.hpp"
#include "compiler/ruleset.hpp"

#include <array>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// A director's rules; nothing of a family that no file has.
using Dump = std::array<std::optional<Netfilter>, families.size()>;

/// Reads files of rules. Errors and notes are for people, and say the file and the line.
class DumpReader {
public:
    explicit DumpReader(FileReader& files) : files_(files) {}

    /// Adds what a file has, `-` for standard input. `family` is that of a text which does not tell; of rules.sh, both
    /// are added. An empty text is of a box that has no rules of the family: without one, of IPv4, or the one that is
    /// still to come.
    [[nodiscard]] std::expected<void, std::string> add(Dump& dump, std::string const& path,
                                                       std::optional<Family> family, std::string const& director);

    /// What a folder has of one director: DIR/NAME/iptables.rules and ip6tables.rules, as `compile --emit all` names
    /// them, or nft.json.
    [[nodiscard]] std::expected<Dump, std::string> read_folder(std::string const& folder, std::string const& director);

    /// What of the files was passed over, or is in doubt: a few lines of each file, and how many there are more.
    [[nodiscard]] std::vector<std::string> const& notes() const { return notes_; }

private:
    using Done = std::expected<void, std::string>;

    Done add_text(Dump& dump, std::string const& path, std::string const& text, Family family);
    Done add_script(Dump& dump, std::string const& path, std::string const& text, std::string const& director);
    Done add_file(Dump& dump, std::string const& path, FileText const& read, std::optional<Family> family,
                  std::string const& director);

    FileReader& files_;
    std::vector<std::string> notes_;
};

} // namespace lbc
