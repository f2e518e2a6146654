#include "backends/sysctl_files.hpp"

#include "backends/descriptor.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <system_error>

namespace lbc {
namespace {

std::unexpected<SystemError> failed(std::string_view what, Sysctl sysctl, int code) {
    auto kind = SystemError::Kind::failed;
    if (code == EACCES || code == EPERM || code == EROFS)
        kind = SystemError::Kind::permission;
    if (code == ENOENT)
        kind = SystemError::Kind::unsupported;
    return std::unexpected(SystemError{
        kind, code, fmt::format("cannot {} {}: {}", what, title(sysctl), std::generic_category().message(code)), {}});
}

} // namespace

std::expected<int, SystemError> read_sysctl_file(Sysctl sysctl) {
    Descriptor const file(::open(sysctl_path(sysctl).c_str(), O_RDONLY | O_CLOEXEC));
    char digit = 0;
    if (!file || ::read(file.get(), &digit, 1) != 1)
        return failed("read", sysctl, errno);
    if (digit < '0' || digit > '9')
        return failed("read", sysctl, EBADMSG);
    return digit - '0';
}

std::expected<void, SystemError> write_sysctl_file(Sysctl sysctl, int value) {
    assert(value >= 0 && value <= 9);
    Descriptor const file(::open(sysctl_path(sysctl).c_str(), O_WRONLY | O_CLOEXEC));
    auto const digit = static_cast<char>('0' + value);
    if (!file || ::write(file.get(), &digit, 1) != 1)
        return failed("write", sysctl, errno);
    return {};
}

} // namespace lbc
