#include "cli/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
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

/// The mode that a new file gets from the process's umask.
mode_t default_mode() {
    auto const mask = ::umask(0);
    ::umask(mask);
    return 0666U & ~mask;
}

} // namespace

std::expected<void, std::string> write_file(std::string const& path, std::string const& text) {
    auto temporary = path + ".XXXXXX";
    auto const descriptor = ::mkstemp(temporary.data());
    if (descriptor < 0)
        return failed(path);
    std::unique_ptr<std::FILE, CloseFile> const file(::fdopen(descriptor, "w"));
    auto const written = file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                         std::fflush(file.get()) == 0 && ::fchmod(descriptor, default_mode()) == 0 &&
                         ::fsync(descriptor) == 0;
    if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
        auto const failure = failed(path);
        ::unlink(temporary.c_str());
        return failure;
    }
    return {};
}

} // namespace lbc
