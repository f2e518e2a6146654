// Reading files, as a small interface: the command reads the disk, a test reads a map.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace lbc {

class FileReader {
public:
    FileReader() = default;
    FileReader(FileReader const&) = delete;
    FileReader& operator=(FileReader const&) = delete;
    virtual ~FileReader() = default;

    /// A file's bytes, `-` for standard input; else why not, in the system's words ("No such file or directory").
    /// A file larger than `limit` bytes is refused with such a message.
    [[nodiscard]] virtual std::expected<std::string, std::string> read(std::string const& path, std::size_t limit) = 0;

    /// The paths that a shell pattern (glob(7)) matches, sorted by byte; none is an empty list. Else why a folder could
    /// not be looked through.
    [[nodiscard]] virtual std::expected<std::vector<std::string>, std::string> glob(std::string const& pattern) = 0;

    /// A name that is the same for every path to one file; used to find include cycles.
    [[nodiscard]] virtual std::string identity(std::string const& path) = 0;

    /// What stands before the name in a path, with the `/`: names in the file of that path are put behind it.
    [[nodiscard]] virtual std::string folder(std::string const& path) const {
        return path.substr(0, path.rfind('/') + 1);
    }
};

/// A path as a pattern that matches it alone.
[[nodiscard]] std::string escape_pattern(std::string_view path);

/// The disk and standard input.
class DiskFiles final : public FileReader {
public:
    [[nodiscard]] std::expected<std::string, std::string> read(std::string const& path, std::size_t limit) override;
    [[nodiscard]] std::expected<std::vector<std::string>, std::string> glob(std::string const& pattern) override;
    [[nodiscard]] std::string identity(std::string const& path) override;
};

} // namespace lbc
