// Reads the rules of directors from files: the output of iptables-save, ip6tables-save and `nft -j list ruleset`, or
// rules.sh.
#pragma once

#include "cli/program/environment.hpp"
#include "compiler/rules/ruleset.hpp"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace lbc {

/// Reads files of rules. Errors and notes are for people, and name the file and the line.
class DumpReader {
public:
    explicit DumpReader(FileReader& files) : files_(files) {}

    /// Adds the rules of a file, `-` for standard input. `family` is for a text that does not state its own; rules.sh
    /// and nftables' JSON add both families. An empty text is that of a box without rules of the family; without
    /// `family`, it is for IPv4, or for IPv6 if IPv4 is already there.
    [[nodiscard]] std::expected<void, std::string> add(FamilyRules& dump, std::string const& path,
                                                       std::optional<Family> family, std::string const& director);

    /// Reads the rules of one director from a folder: DIR/NAME/iptables.rules and ip6tables.rules, as `compile --emit
    /// all` names them, or nft.json.
    [[nodiscard]] std::expected<FamilyRules, std::string> read_folder(std::string const& folder,
                                                                      std::string const& director);

    /// The lines that were skipped or are in doubt: a few of each file, and the number of the others.
    [[nodiscard]] std::vector<std::string> const& notes() const { return notes_; }

private:
    using Done = std::expected<void, std::string>;

    Done add_text(FamilyRules& dump, std::string const& path, std::string const& text, Family family);
    Done add_script(FamilyRules& dump, std::string const& path, std::string const& text, std::string const& director);
    Done add_file(FamilyRules& dump, std::string const& path, FileText const& read, std::optional<Family> family,
                  std::string const& director);

    FileReader& files_;
    std::vector<std::string> notes_;
};

} // namespace lbc
