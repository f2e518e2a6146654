// Reading files, as a small interface: the command reads the disk, a test reads a map. Who may be the author of a path
// decides what is read: a file that the user names, the files that a site includes, or those of a folder of dumps.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

/// Why there is no text, in the system's words ("No such file or directory") where they say it.
struct FileProblem {
    enum class Kind : std::uint8_t {
        failed,
        missing,
        outside,  // of the folders that a site includes from, or no regular file
        too_many, // names to look through
    };

    std::string words;
    Kind kind = Kind::failed;

    FileProblem(std::string text, Kind of_kind = Kind::failed) : words(std::move(text)), kind(of_kind) {}
    FileProblem(char const* text) : words(text) {}

    friend bool operator==(FileProblem const& problem, std::string_view text) { return problem.words == text; }
};

using FileText = std::expected<std::string, FileProblem>;
using FilePaths = std::expected<std::vector<std::string>, FileProblem>;

/// The text of an included file.
struct Included {
    std::string text;
    bool is_of_site = true; // below the site's folder: who wrote the site could have written it
};

class FileReader {
public:
    FileReader() = default;
    FileReader(FileReader const&) = delete;
    FileReader& operator=(FileReader const&) = delete;
    virtual ~FileReader() = default;

    /// The bytes of a file that the user names, `-` for standard input. A file larger than `limit` bytes is refused.
    [[nodiscard]] virtual FileText read(std::string const& path, std::size_t limit) = 0;

    /// `name` below a folder that the user names: a regular file of that folder.
    [[nodiscard]] virtual FileText read_below(std::string const& folder, std::string const& name, std::size_t limit) {
        return read(folder + '/' + name, limit);
    }

    /// A site's own file, which the user names. From here on `read_include` and `glob` keep to its folder and to those
    /// of `include_from`.
    [[nodiscard]] virtual FileText read_site(std::string const& path, std::size_t limit,
                                             std::span<std::string const> /*include_from*/) {
        return read(path, limit);
    }

    /// A file that a site names: regular, and in one of the site's folders.
    [[nodiscard]] virtual std::expected<Included, FileProblem> read_include(std::string const& path,
                                                                            std::size_t limit) {
        auto text = read(path, limit);
        if (!text)
            return std::unexpected(std::move(text.error()));
        return Included{.text = std::move(*text)};
    }

    /// The paths that a shell pattern (glob(7)) matches from a folder on, which is a path's beginning, or is empty:
    /// sorted by byte; none is an empty list. Else why a folder could not be looked through.
    [[nodiscard]] virtual FilePaths glob(std::string const& folder, std::string const& pattern) = 0;

    /// A name that is the same for every path to one file; used to find include cycles.
    [[nodiscard]] virtual std::string identity(std::string const& path) = 0;

    /// What stands before the name in a path, with the `/`: names in the file of that path are put behind it.
    [[nodiscard]] virtual std::string folder(std::string const& path) const {
        return path.substr(0, path.rfind('/') + 1);
    }
};

} // namespace lbc
