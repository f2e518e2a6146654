// Compiled files in a folder: compared with what is there, and written where they differ. A folder that is to be
// committed has a list of lbc's files in it, `MANIFEST`; a file that is in the list and no longer made goes, and no
// other file does. The list, like everything in the folder, may come from a stranger: what it names lies below the
// folder and is reached through no symbolic link, or nothing is touched.
#pragma once

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

/// How a file differs from what it should be; nothing where it does not. The error says why it cannot be read.
[[nodiscard]] std::expected<std::optional<FileDifference>, std::string> compare_file(std::string const& path,
                                                                                     std::string const& text);

/// The first line of a list, by which it is told from a stranger's file of that name.
inline constexpr std::string_view manifest_header =
    "# Files of `lbc compile --emit all`, which removes those that it no longer makes.\n";

/// The paths of a list in its order of names. The error says which line is none.
[[nodiscard]] std::expected<std::set<std::string>, std::string> parse_manifest(std::string_view text);

class OutputTree {
public:
    struct Finding {
        std::string path; // below the folder
        FileDifference difference;
    };

    /// Looks at the folder, and changes nothing. `listed`: with `MANIFEST` in it. The error says what cannot be read,
    /// or is not lbc's to write.
    [[nodiscard]] static std::expected<OutputTree, std::string> compare(Files files, std::string folder, bool listed);

    /// By path.
    [[nodiscard]] std::vector<Finding> const& findings() const { return findings_; }

    /// Writes what differs or is missing and removes what is left over, with the folders that this leaves empty. Cut
    /// off at any point, the list still has every file that is lbc's.
    [[nodiscard]] std::expected<void, std::string> write() const;

private:
    OutputTree(Files files, std::string folder, bool listed)
        : files_(std::move(files)), folder_(std::move(folder)), listed_(listed) {}

    std::expected<void, std::string> read_list();
    std::expected<void, std::string> find_differences();
    [[nodiscard]] std::expected<void, std::string> write_one(std::string const& path, std::string const& text) const;
    [[nodiscard]] std::expected<void, std::string> remove_one(std::string const& path) const;

    Files files_;
    std::string folder_;
    bool listed_;
    std::set<std::string> old_; // what the list in the folder has
    std::set<std::string> new_; // what it will have
    std::vector<Finding> findings_;
};

} // namespace lbc
