#include "backends/os/place.hpp"

#include "backends/os/path_parts.hpp"
#include "backends/os/system_error.hpp"
#include "backends/os/trusted_owner.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <deque>
#include <system_error>
#include <vector>

namespace lbc {
namespace {

constexpr std::size_t most_links = 40; // Linux's limit

Descriptor open_at(int folder, char const* name, int flags = 0) {
    return Descriptor(::openat(folder, name, O_PATH | O_CLOEXEC | flags));
}

/// The descriptor number, if the name is that of a link in /proc/self/fd.
std::optional<int> own_descriptor(Descriptor const& folder, std::string const& name) {
    int number = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size())
        return std::nullopt;
    struct stat here{};
    struct stat own{};
    bool const is_own = ::fstat(folder.get(), &here) == 0 && ::stat("/proc/self/fd", &own) == 0 &&
                        here.st_dev == own.st_dev && here.st_ino == own.st_ino;
    return is_own ? std::optional(number) : std::nullopt;
}

/// Describes the obstacle on a path.
std::string describe(std::string_view path, struct stat const& status, std::string_view wanted) {
    return S_ISLNK(status.st_mode)
               ? fmt::format("`{}` is a symbolic link, and compiled files are not written through it", path)
               : fmt::format("`{}` is no {}", path, wanted);
}

/// For root: whether others may write in a folder that is not sticky, and so can replace a link of root's.
bool others_can_move_links(struct stat const& folder) {
    auto const mode = folder.st_mode;
    return ::geteuid() == 0 && (mode & S_ISVTX) == 0 &&
           ((mode & S_IWOTH) != 0 || ((mode & S_IWGRP) != 0 && folder.st_gid != 0));
}

class Evaluation {
public:
    enum class End { last_name, folder };

    /// Walks to the folder of the last name, or into the folder that the path names.
    std::expected<Place, SystemError> run(std::string const& path, End end, Missing missing) {
        if (path.empty())
            return system_refusal(ENOENT);
        folder_ = open_at(AT_FDCWD, path.starts_with('/') ? "/" : ".", O_DIRECTORY);
        if (!folder_)
            return system_refusal(errno);
        auto const parts = path_parts(path);
        for (left_.assign(parts.begin(), parts.end()); !left_.empty();) {
            auto const name = std::move(left_.front());
            left_.pop_front();
            struct stat status{};
            bool const is_there = ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
            if (is_there && S_ISLNK(status.st_mode)) {
                if (auto const own = own_descriptor(folder_, name); own && left_.empty())
                    return Place{.folder = std::move(folder_), .name = name, .own = own};
                if (auto const followed = follow(name); !followed)
                    return std::unexpected(followed.error());
                continue;
            }
            if (left_.empty() && end == End::last_name)
                return Place{.folder = std::move(folder_), .name = name, .own = {}};
            if (auto const entered = enter(name, is_there || missing == Missing::fails); !entered)
                return std::unexpected(entered.error());
        }
        return Place{.folder = std::move(folder_), .name = ".", .own = {}};
    }

private:
    std::expected<void, SystemError> enter(std::string const& name, bool is_to_be_there) {
        if (!is_to_be_there && ::mkdirat(folder_.get(), name.c_str(), 0777) != 0 && errno != EEXIST)
            return system_refusal(errno);
        auto next = open_at(folder_.get(), name.c_str(), O_DIRECTORY | O_NOFOLLOW);
        if (!next)
            return system_refusal(errno);
        folder_ = std::move(next);
        return {};
    }

    /// The link is opened once: its name may lead to another one by the next call.
    std::expected<void, SystemError> follow(std::string const& name) {
        auto const link = open_at(folder_.get(), name.c_str(), O_NOFOLLOW);
        struct stat status{};
        struct stat here{};
        if (!link || ::fstat(link.get(), &status) != 0 || ::fstat(folder_.get(), &here) != 0)
            return system_refusal(errno);
        if (!is_trusted_owner(status.st_uid) || !is_trusted_owner(here.st_uid))
            return refusal(fmt::format(
                "`{}` is a symbolic link {} user {}, who chooses where it leads; name the file that it leads to", name,
                is_trusted_owner(status.st_uid) ? "in a folder of" : "of",
                is_trusted_owner(status.st_uid) ? here.st_uid : status.st_uid));
        if (others_can_move_links(here))
            return refusal(fmt::format("`{}` is a symbolic link in a folder that others can write in, who choose where "
                                       "it leads; name the file that it leads to",
                                       name));
        std::string target(PATH_MAX, '\0');
        auto const size = ::readlinkat(link.get(), "", target.data(), target.size());
        if (size < 0)
            return system_refusal(errno == ENOENT ? EAGAIN : errno); // it is not a link any more
        target.resize(static_cast<std::size_t>(size));
        if (++links_ > most_links)
            return system_refusal(ELOOP);
        if (target.starts_with('/'))
            folder_ = open_at(AT_FDCWD, "/", O_DIRECTORY);
        auto const more = path_parts(target);
        left_.insert(left_.begin(), more.begin(), more.end());
        return folder_ ? std::expected<void, SystemError>{} : system_refusal(errno);
    }

    Descriptor folder_;
    std::deque<std::string> left_;
    std::size_t links_ = 0;
};

} // namespace

std::unexpected<SystemError> system_refusal(int code) {
    auto const kind = code == EACCES || code == EPERM ? SystemError::Kind::permission : SystemError::Kind::failed;
    return std::unexpected(SystemError{kind, code, errno_text(code)});
}

std::unexpected<SystemError> refusal(std::string words) {
    return std::unexpected(SystemError{SystemError::Kind::failed, 0, std::move(words)});
}

std::expected<Place, SystemError> find_place(std::string const& path) {
    auto place = Evaluation().run(path, Evaluation::End::last_name, Missing::fails);
    if (place && path.ends_with('/') && !place->own)
        return system_refusal(EISDIR);
    return place;
}

std::expected<Descriptor, SystemError> open_folder(std::string const& path, Missing missing) {
    auto place = Evaluation().run(path, Evaluation::End::folder, missing);
    if (!place)
        return std::unexpected(place.error());
    if (place->own)
        return system_refusal(ENOTDIR);
    return std::move(place->folder);
}

std::expected<Descriptor, SystemError> enter_below(OpenFolder folder, std::string_view path, Missing missing) {
    auto inner = open_at(folder.descriptor.get(), ".", O_DIRECTORY);
    std::string shown(folder.name);
    for (auto const& name : path_parts(path)) {
        if (!inner)
            break;
        shown += (shown.ends_with('/') ? "" : "/") + name;
        struct stat status{};
        bool const is_there = ::fstatat(inner.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (!is_there && errno == ENOENT && missing == Missing::fails)
            return Descriptor();
        if (!is_there && errno == ENOENT && ::mkdirat(inner.get(), name.c_str(), 0777) != 0 && errno != EEXIST)
            return refusal(fmt::format("cannot make `{}`: {}", shown, errno_text(errno)));
        if (is_there && !S_ISDIR(status.st_mode))
            return refusal(describe(shown, status, "folder"));
        inner = open_at(inner.get(), name.c_str(), O_DIRECTORY | O_NOFOLLOW);
    }
    if (!inner)
        return refusal(fmt::format("cannot open `{}`: {}", shown, errno_text(errno)));
    return inner;
}

std::expected<Place, SystemError> find_below(OpenFolder folder, std::string_view path, Missing missing) {
    auto const slash = path.rfind('/');
    auto inner = enter_below(folder, slash == std::string_view::npos ? "" : path.substr(0, slash), missing);
    if (!inner)
        return std::unexpected(inner.error());
    Place place{.folder = std::move(*inner), .name = std::string(path.substr(slash + 1)), .own = {}};
    struct stat status{};
    if (place.folder && ::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISREG(status.st_mode))
        return refusal(describe(fmt::format("{}{}{}", folder.name, folder.name.ends_with('/') ? "" : "/", path), status,
                                "regular file"));
    return place;
}

} // namespace lbc
