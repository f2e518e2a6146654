// Compares compiled files with those in a folder, and writes the ones that differ. A folder that is to be committed
// contains a list of the files that lbc made, `MANIFEST`. A file that is in the list and no longer made is removed; no
// other file is. The list, like everything in the folder, may come from a stranger: every listed file must have a name
// that lbc gives, lie below the folder and be reached through no symbolic link, or nothing is touched. The folder is
// opened once, and its files are reached from there.
#pragma once

#include "backends/os/place.hpp"

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

/// Texts by their path below a folder.
using Files = std::map<std::string, std::string>;

enum class FileDifference { differs, missing, left_over };

/// "differs", "missing" or "left over".
[[nodiscard]] std::string_view to_string(FileDifference difference);

/// How a file differs from what it should be; nothing if it does not. The error states why it cannot be read.
[[nodiscard]] std::expected<std::optional<FileDifference>, std::string> compare_file(std::string const& path,
                                                                                     std::string const& text);

/// The first line of a list. It distinguishes a list from a foreign file of that name.
inline constexpr std::string_view manifest_header =
    "# Files of `lbc compile --emit all`, which removes those that it no longer makes.\n";

/// Whether lbc gives a file of a tree that path.
using IsArtefact = bool(std::string_view path);

/// The paths of a list. The error names the line that is no path.
[[nodiscard]] std::expected<std::set<std::string>, std::string> parse_manifest(std::string_view text);

class OutputTree {
public:
    struct Finding {
        std::string path; // below the folder
        FileDifference difference;
    };

    struct Options {
        IsArtefact* is_listed = nullptr;      // set: the folder has a `MANIFEST`, which lists files with such names
        std::set<std::string> for_owner = {}; // paths of files that hold a secret
    };

    /// Reads the folder, and changes nothing. The error names what cannot be read, or what lbc may not write.
    [[nodiscard]] static std::expected<OutputTree, std::string> compare(Files files, std::string folder,
                                                                        Options options);

    /// By path.
    [[nodiscard]] std::vector<Finding> const& findings() const { return findings_; }

    /// Writes what differs or is missing and removes what is left over, with the folders that this leaves empty. If it
    /// is interrupted at any point, the list still has every file of lbc.
    [[nodiscard]] std::expected<void, std::string> write();

    /// The paths of what `write` has removed.
    [[nodiscard]] std::vector<std::string> const& removed() const { return removed_; }

private:
    OutputTree(Files files, std::string folder, Options options)
        : files_(std::move(files)), folder_(std::move(folder)), options_(std::move(options)) {}

    std::expected<void, std::string> open();
    std::expected<void, std::string> read_list();
    std::expected<void, std::string> find_differences();
    [[nodiscard]] std::expected<std::optional<FileDifference>, std::string> find_difference(std::string const& path);
    [[nodiscard]] std::expected<Place, std::string> find(std::string const& path, Missing missing) const;
    [[nodiscard]] std::expected<void, std::string> write_one(std::string const& path, std::string const& text);
    [[nodiscard]] std::expected<void, std::string> remove_one(std::string const& path);
    [[nodiscard]] std::string shown(std::string const& path) const;

    Files files_;
    std::string folder_;
    Options options_;
    Descriptor root_;           // none: the folder does not exist
    std::set<std::string> old_; // what the list in the folder has
    std::set<std::string> new_; // what it will have
    std::vector<Finding> findings_;
    std::vector<std::string> removed_;
};

} // namespace lbc
