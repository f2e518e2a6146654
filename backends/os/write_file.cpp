#include "backends/os/write_file.hpp"

#include "backends/os/read_file.hpp"
#include "backends/os/trusted_owner.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>

namespace lbc {
namespace {

using Written = std::expected<void, SystemError>;

/// The status of the file that is at the place now, if any.
std::expected<std::optional<struct stat>, SystemError> look(Place const& place) {
    struct stat status{};
    if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        return status;
    if (errno == ENOENT)
        return std::nullopt;
    return system_refusal(errno);
}

/// A temporary file beside the target. It is removed unless it has replaced the target.
class Temporary {
public:
    explicit Temporary(Place const& place) : place_(place) {
        for (int tries = 0; tries < 100 && !file_; ++tries) {
            std::uint64_t number = 0;
            if (::getrandom(&number, sizeof number, 0) != sizeof number)
                return;
            name_ = fmt::format("{}.{:016x}", place.name.substr(0, 200), number);
            file_ = Descriptor(::openat(place.folder.get(), name_.c_str(),
                                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
            if (!file_ && errno != EEXIST)
                return;
        }
    }
    Temporary(Temporary const&) = delete;
    Temporary& operator=(Temporary const&) = delete;
    ~Temporary() {
        if (file_ && !is_in_place_)
            ::unlinkat(place_.folder.get(), name_.c_str(), 0);
    }

    [[nodiscard]] int get() const { return file_.get(); }

    [[nodiscard]] bool put_in_place() {
        auto const folder = place_.folder.get();
        return is_in_place_ = ::renameat(folder, name_.c_str(), folder, place_.name.c_str()) == 0;
    }

private:
    Place const& place_;
    std::string name_;
    Descriptor file_;
    bool is_in_place_ = false;
};

mode_t umask_of_process() {
    auto const mask = ::umask(0);
    ::umask(mask);
    return mask;
}

/// Sets the owner and permissions of a new file after those of the old one. If this user cannot set the group, the
/// group gets the permissions of others.
bool dress(int file, std::optional<struct stat> const& old, Readers readers) {
    if (!old)
        return ::fchmod(file, readers == Readers::owner ? 0600 : 0666U & ~umask_of_process()) == 0;
    struct stat fresh{};
    if (::fstat(file, &fresh) != 0)
        return false;
    // A foreign owner may have opened the file for others to write. People who share a folder through its group intend
    // group writes.
    bool const is_own = old->st_uid == ::geteuid();
    auto mode = old->st_mode & (is_own ? 0777U : ::geteuid() == 0 ? 0755U : 0775U);
    bool const is_given =
        (old->st_uid == fresh.st_uid && old->st_gid == fresh.st_gid) || ::fchown(file, old->st_uid, old->st_gid) == 0;
    if (!is_given && old->st_gid != fresh.st_gid && ::fchown(file, static_cast<uid_t>(-1), old->st_gid) != 0)
        mode &= 0707U | ((mode & 07U) << 3U);
    return ::fchmod(file, mode) == 0;
}

/// Refuses a foreign file in a folder where anybody can put one: it may be there on purpose.
Written check_owner(Place const& place, struct stat const& there) {
    struct stat folder{};
    if (::fstat(place.folder.get(), &folder) != 0)
        return system_refusal(errno);
    if ((folder.st_mode & S_ISVTX) != 0 && there.st_uid != ::geteuid())
        return refusal(fmt::format(
            "it is a file of user {}, in a folder where anybody can put one; remove it, or write to another folder",
            there.st_uid));
    return {};
}

/// Writes to a pipe or device, without waiting for a reader.
Written write_to(Place const& place, std::string const& text) {
    Descriptor const there(::openat(place.folder.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!there || ::fstat(there.get(), &status) != 0)
        return system_refusal(errno);
    if (S_ISDIR(status.st_mode))
        return system_refusal(EISDIR);
    if (S_ISBLK(status.st_mode) || S_ISSOCK(status.st_mode))
        return refusal(S_ISBLK(status.st_mode) ? "it is a disk" : "it is a socket");
    if (!is_trusted_owner(status.st_uid))
        return refusal(
            fmt::format("it is a {} of user {}", S_ISFIFO(status.st_mode) ? "pipe" : "device", status.st_uid));
    auto const file = reopen(there, O_WRONLY | O_NONBLOCK);
    if (!file && errno == ENXIO)
        return refusal("it is a pipe that nobody reads");
    if (!file || ::fcntl(file.get(), F_SETFL, O_WRONLY) != 0 || !write_all(file.get(), text))
        return system_refusal(errno);
    return {};
}

Written replace(Place const& place, std::optional<struct stat> const& old, std::string const& text, Readers readers) {
    if (old)
        if (auto owned = check_owner(place, *old); !owned)
            return owned;
    Temporary temporary(place);
    if (temporary.get() < 0 || !write_all(temporary.get(), text) || !dress(temporary.get(), old, readers) ||
        ::fsync(temporary.get()) != 0 || !temporary.put_in_place())
        return system_refusal(errno);
    return {};
}

Written write(std::string const& path, std::string const& text, Readers readers) {
    auto const place = find_place(path);
    if (!place)
        return std::unexpected(place.error());
    if (place->own)
        return write_all(*place->own, text) ? Written{} : system_refusal(errno);
    auto const there = look(*place);
    if (!there)
        return std::unexpected(there.error());
    return !*there || S_ISREG((*there)->st_mode) ? replace(*place, *there, text, readers) : write_to(*place, text);
}

} // namespace

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        auto const count = ::write(file, text.data(), text.size());
        if (count < 0 && errno != EINTR)
            return false;
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

Written replace_file(Place const& place, std::string const& text, Readers readers) {
    auto const there = look(place);
    if (!there)
        return std::unexpected(there.error());
    if (*there && !S_ISREG((*there)->st_mode))
        return refusal("it is no regular file");
    return replace(place, *there, text, readers);
}

Written write_file(std::string const& path, std::string const& text, Readers readers) {
    auto written = write(path, text, readers);
    if (!written)
        written.error().message = fmt::format("cannot write `{}`: {}", path, written.error().message);
    return written;
}

} // namespace lbc
