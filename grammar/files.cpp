#include "grammar/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <glob.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace lbc {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() {
        if (fd_ > STDERR_FILENO)
            ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

} // namespace

std::string escape_pattern(std::string_view path) {
    std::string pattern;
    for (char const c : path) {
        if (std::string_view("*?[\\").contains(c))
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

std::expected<std::string, std::string> DiskFiles::read(std::string const& path, std::size_t limit) {
    Descriptor const file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0)
        return std::unexpected(std::strerror(errno));
    std::string text;
    if (struct stat status{}; ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode))
        text.reserve(std::min(static_cast<std::size_t>(status.st_size), limit));
    std::array<char, 65536> buffer{};
    for (;;) {
        auto const count = ::read(file.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return std::unexpected(std::strerror(errno));
        if (count == 0)
            return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > limit)
            return std::unexpected("larger than " + std::to_string(limit >> 20U) + " MiB");
    }
}

std::expected<std::vector<std::string>, std::string> DiskFiles::glob(std::string const& pattern) {
    glob_t found{};
    auto const status = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
    std::vector<std::string> paths;
    if (status == 0)
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (status != 0 && status != GLOB_NOMATCH)
        return std::unexpected(status == GLOB_NOSPACE ? "out of memory" : "a folder of it cannot be read");
    std::ranges::sort(paths); // glob(3) sorts by locale
    return paths;
}

std::string DiskFiles::identity(std::string const& path) {
    std::error_code error;
    auto const canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path : canonical.string();
}

} // namespace lbc
