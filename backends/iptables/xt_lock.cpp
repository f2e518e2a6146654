#include "backends/iptables/xt_lock.hpp"

#include "backends/os/descriptor.hpp"
#include "backends/os/trusted_owner.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace lbc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_interval{20};

class FileLock final : public XtablesLock {
public:
    explicit FileLock(Descriptor file) : file_(std::move(file)) {}

private:
    Descriptor file_;
};

std::string lock_path() {
    char const* const given = ::secure_getenv("XTABLES_LOCKFILE");
    return given != nullptr && *given != '\0' ? given : "/run/xtables.lock";
}

SystemError cannot_lock(std::string const& path, int code) {
    bool const no_right = code == EACCES || code == EPERM;
    auto const message = fmt::format("cannot open the xtables lock `{}`: {}", path, std::strerror(code));
    if (!no_right)
        return {code == EROFS ? SystemError::Kind::permission : SystemError::Kind::failed, code, message};
    return {SystemError::Kind::permission, code,
            message + "; lbc needs CAP_NET_ADMIN and CAP_NET_RAW, as root has them in this network namespace, and "
                      "access to the lock file"};
}

/// Opens only a regular file that root or this user owns: opening a pipe or a device would wait or have an effect, a
/// link may lead anywhere, and another user could keep his own file locked.
std::expected<Descriptor, SystemError> open_lock(std::string const& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
    auto const refuse = [&](std::string_view why) {
        return std::unexpected(
            SystemError{SystemError::Kind::failed, 0, fmt::format("the xtables lock `{}` {}", path, why)});
    };
    if (!file && errno == ELOOP)
        return refuse("is a link");
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0)
        return std::unexpected(cannot_lock(path, errno));
    if (!S_ISREG(status.st_mode))
        return refuse("is no regular file");
    if (!is_trusted_owner(status.st_uid))
        return refuse(fmt::format("belongs to user {}, who can keep it; it must be root's", status.st_uid));
    return file;
}

/// Whether the lock was taken before the deadline; if not, errno has the reason: EWOULDBLOCK if another program holds
/// it.
bool lock_until(int file, Clock::time_point deadline) {
    while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        auto const now = Clock::now();
        if ((errno != EWOULDBLOCK && errno != EINTR) || now >= deadline)
            return false;
        std::this_thread::sleep_for(std::min<Clock::duration>(poll_interval, deadline - now));
    }
    return true;
}

} // namespace

std::expected<std::unique_ptr<XtablesLock>, SystemError> take_xtables_lock(std::chrono::milliseconds wait) {
    auto const deadline = Clock::now() + wait;
    std::string const path = lock_path();
    auto file = open_lock(path);
    if (!file)
        return std::unexpected(std::move(file.error()));
    if (!lock_until(file->get(), deadline)) {
        if (errno != EWOULDBLOCK)
            return std::unexpected(cannot_lock(path, errno));
        return std::unexpected(SystemError{SystemError::Kind::locked, EWOULDBLOCK,
                                           fmt::format("another program holds the xtables lock `{}`", path)});
    }
    return std::make_unique<FileLock>(std::move(*file));
}

} // namespace lbc
