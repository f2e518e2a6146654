#include "backends/write_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace lbc {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

std::unexpected<std::string> failed(std::string const& path) {
    return std::unexpected(fmt::format("cannot write `{}`: {}", path, std::strerror(errno)));
}

/// The mode of the file that is there, or what a new one gets from the process's umask.
mode_t mode_of(std::string const& path) {
    struct stat there{};
    if (::stat(path.c_str(), &there) == 0)
        return there.st_mode & 07777U;
    auto const mask = ::umask(0);
    ::umask(mask);
    return 0666U & ~mask;
}

std::expected<void, std::string> replace_file(std::string const& path, std::string const& text) {
    std::error_code error;
    auto const target =
        std::filesystem::is_symlink(path, error) ? std::filesystem::canonical(path, error).string() : path;
    if (error && target.empty())
        return std::unexpected(fmt::format("cannot write `{}`: {}", path, error.message()));
    auto temporary = target + ".XXXXXX";
    auto const descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0)
        return failed(path);
    std::unique_ptr<std::FILE, CloseFile> const file(::fdopen(descriptor, "w"));
    auto const written = file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                         std::fflush(file.get()) == 0 && ::fchmod(descriptor, mode_of(target)) == 0 &&
                         ::fsync(descriptor) == 0;
    if (!written || std::rename(temporary.c_str(), target.c_str()) != 0) {
        auto const failure = failed(path);
        ::unlink(temporary.c_str());
        return failure;
    }
    return {};
}

} // namespace

std::expected<void, std::string> write_file(std::string const& path, std::string const& text) {
    std::error_code error;
    auto const kind = std::filesystem::status(path, error).type();
    if (kind == std::filesystem::file_type::not_found || kind == std::filesystem::file_type::regular)
        return replace_file(path, text);
    std::unique_ptr<std::FILE, CloseFile> const file(std::fopen(path.c_str(), "we"));
    if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() || std::fflush(file.get()) != 0)
        return failed(path);
    return {};
}

} // namespace lbc
