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
};

/// The disk and standard input.
class DiskFiles final : public FileReader {
public:
    [[nodiscard]] std::expected<std::string, std::string> read(std::string const& path, std::size_t limit) override;
    [[nodiscard]] std::expected<std::vector<std::string>, std::string> glob(std::string const& pattern) override;
    [[nodiscard]] std::string identity(std::string const& path) override;
};

} // namespace lbc
