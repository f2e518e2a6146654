#include "backends/os/read_file.hpp"

#include "backends/os/system_error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace lbc {
namespace {

std::string link_of(Descriptor const& file) { return fmt::format("/proc/self/fd/{}", file.get()); }

} // namespace

std::expected<std::string, int> read_all(int file, std::size_t largest) {
    std::string text;
    if (struct stat status{}; ::fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        text.reserve(std::min(static_cast<std::size_t>(status.st_size), largest));
    std::array<char, 65536> part{};
    while (text.size() <= largest) {
        auto const count = ::read(file, part.data(), part.size());
        if (count < 0 && errno != EINTR)
            return std::unexpected(errno);
        if (count == 0)
            return text;
        text.append(part.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return std::unexpected(EFBIG);
}

Descriptor reopen(Descriptor const& place, int flags) {
    Descriptor file(::open(link_of(place).c_str(), flags | O_CLOEXEC | O_NOCTTY));
    // The open file exists, if only as an open file: so the link in /proc is missing.
    if (!file && (errno == ENOENT || errno == ENOTDIR))
        errno = no_proc;
    return file;
}

std::string path_of(Descriptor const& file) {
    std::string path(PATH_MAX, '\0');
    auto const size = ::readlink(link_of(file).c_str(), path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return path;
}

std::expected<std::string, int> read_file_at(int folder, std::string const& name, std::size_t largest, int flags) {
    Descriptor const place(::openat(folder, name.c_str(), O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW)));
    struct stat status{};
    if (!place || ::fstat(place.get(), &status) != 0)
        return std::unexpected(errno);
    if (!S_ISREG(status.st_mode))
        return std::unexpected(S_ISDIR(status.st_mode) ? EISDIR : S_ISLNK(status.st_mode) ? ELOOP : EINVAL);
    // Some files of /proc are regular and would block.
    auto const file = reopen(place, O_RDONLY | O_NONBLOCK);
    if (!file)
        return std::unexpected(errno);
    return read_all(file.get(), largest);
}

std::expected<std::string, int> read_file(std::string const& path, std::size_t largest, int flags) {
    return read_file_at(AT_FDCWD, path, largest, flags);
}

std::string read_error(int code) {
    if (code == no_proc)
        return "/proc is not mounted here, and files are opened by /proc/self/fd";
    return code == EINVAL ? "it is no regular file" : errno_text(code);
}

} // namespace lbc
