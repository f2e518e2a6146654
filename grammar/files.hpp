// The interface for reading files: the command reads the disk, a test reads a map. There is one function for each
// author of a path, which decides what may be read: a file that the user names, a file that a site includes, or a file
// of a folder of dumps.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc {

/// Why a file could not be read, in the system's words ("No such file or directory") if it gives any.
struct FileProblem {
    enum class Kind : std::uint8_t {
        failed,
        missing,
        outside,  // outside the folders that a site includes from, or not a regular file
        too_many, // too many names to look through
    };

    std::string words;
    Kind kind = Kind::failed;

    // NOLINTBEGIN(google-explicit-constructor): mostly words alone
    FileProblem(std::string text, Kind of_kind = Kind::failed) : words(std::move(text)), kind(of_kind) {}
    FileProblem(char const* text) : words(text) {}
    // NOLINTEND(google-explicit-constructor)

    friend bool operator==(FileProblem const& problem, std::string_view text) { return problem.words == text; }
};

using FileText = std::expected<std::string, FileProblem>;
using FilePaths = std::expected<std::vector<std::string>, FileProblem>;

/// The text of an included file.
struct Included {
    std::string text;
    bool is_of_site = true; // below the site's folder: the author of the site could have written it
};

class FileReader {
public:
    FileReader() = default;
    FileReader(FileReader const&) = delete;
    FileReader& operator=(FileReader const&) = delete;
    virtual ~FileReader() = default;

    /// The bytes of a file that the user names; `-` is standard input. Refuses a file larger than `limit` bytes.
    [[nodiscard]] virtual FileText read(std::string const& path, std::size_t limit) = 0;

    /// Reads `name` in a folder that the user names; it must be a regular file of that folder.
    [[nodiscard]] virtual FileText read_below(std::string const& folder, std::string const& name, std::size_t limit) {
        return read(folder + '/' + name, limit);
    }

    /// Reads the site file, which the user names. From then on `read_include` and `glob` are confined to its folder and
    /// to those of `include_from`.
    [[nodiscard]] virtual FileText read_site(std::string const& path, std::size_t limit,
                                             std::span<std::string const> /*include_from*/) {
        return read(path, limit);
    }

    /// Reads a file that a site includes: it must be regular and in one of the site's folders.
    [[nodiscard]] virtual std::expected<Included, FileProblem> read_include(std::string const& path,
                                                                            std::size_t limit) {
        auto text = read(path, limit);
        if (!text)
            return std::unexpected(std::move(text.error()));
        return Included{.text = std::move(*text)};
    }

    /// The paths below `folder` that match a shell pattern (glob(7)), sorted by byte. `folder` is the beginning of a
    /// path, or empty. An empty list if nothing matches; an error if a folder could not be searched.
    [[nodiscard]] virtual FilePaths glob(std::string const& folder, std::string const& pattern) = 0;

    /// A name that is equal for all paths to one file; used to find include cycles.
    [[nodiscard]] virtual std::string identity(std::string const& path) = 0;

    /// The folder part of a path, with the `/`. File names in that file are appended to it.
    [[nodiscard]] virtual std::string folder(std::string const& path) const {
        return path.substr(0, path.rfind('/') + 1);
    }
};

} // namespace lbc
