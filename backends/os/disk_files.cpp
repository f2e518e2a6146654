#include "backends/os/disk_files.hpp"

#include "backends/os/path_parts.hpp"
#include "backends/os/read_file.hpp"

#include <fmt/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <memory>
#include <string_view>

namespace lbc {
namespace {

using Kind = FileProblem::Kind;

constexpr char const* not_included =
    "it is not in the site's folder; with `--include-from DIR` a site may include files of DIR, too";

FileProblem problem(int code) {
    return {read_error(code), code == ENOENT || code == ENOTDIR ? Kind::missing : Kind::failed};
}

FileText text_of(int file, std::size_t limit) {
    auto text = read_all(file, limit);
    if (text)
        return std::move(*text);
    if (text.error() == EFBIG)
        return std::unexpected(fmt::format("larger than {} MiB", limit >> 20U));
    return std::unexpected(problem(text.error()));
}

/// Whether a path names an open file of this process, such as a shell's `<(generate)`.
bool is_own_descriptor(std::string_view path) {
    return path == "-" || path == "/dev/stdin" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

bool is_below(std::string_view path, std::string_view folder) {
    return folder == "/" || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

/// /dev/null, and terminals: opening one does nothing.
bool is_harmless(dev_t device) {
    auto const number = major(device);
    return device == makedev(1, 3) || number == 4 || number == 5 || (number >= 136 && number <= 143);
}

/// Whether a pipe is this process's own, or of a user who may let root wait.
bool is_own_pipe(int file, struct stat const& status) {
    struct statfs system{};
    return status.st_uid == 0 || status.st_uid == ::geteuid() ||
           (::fstatfs(file, &system) == 0 && system.f_type == PIPEFS_MAGIC);
}

/// Opens and reads a file that the user has named, from its O_PATH descriptor.
FileText read_named(Descriptor const& place, std::size_t limit) {
    struct stat status{};
    if (!place || ::fstat(place.get(), &status) != 0)
        return std::unexpected(problem(errno));
    int flags = O_RDONLY;
    if (S_ISREG(status.st_mode))
        flags |= O_NONBLOCK;
    else if (S_ISDIR(status.st_mode))
        return std::unexpected(problem(EISDIR));
    else if (S_ISFIFO(status.st_mode) && !is_own_pipe(place.get(), status))
        return std::unexpected("it is a pipe of somebody else");
    else if (S_ISBLK(status.st_mode) || (S_ISCHR(status.st_mode) && !is_harmless(status.st_rdev)))
        return std::unexpected("it is a device");
    auto const file = reopen(place, flags);
    return file ? text_of(file.get(), limit) : std::unexpected(problem(errno));
}

Descriptor find(std::string const& path, int flags = 0) {
    return Descriptor(::open(path.c_str(), O_PATH | O_CLOEXEC | flags));
}

/// The path after following the links on it, whether or not a file is there; empty if it is unknown.
std::string real_path(std::string const& path) {
    constexpr std::size_t most_links = 40; // Linux's limit
    std::error_code error;
    auto const start = path.starts_with('/') ? std::filesystem::path("/") : std::filesystem::current_path(error);
    if (error)
        return {};
    auto done = start == "/" ? std::string{} : start.string();
    auto const parts = path_parts(path);
    std::deque<std::string> left(parts.begin(), parts.end());
    for (std::size_t links = 0; !left.empty();) {
        auto const name = std::move(left.front());
        left.pop_front();
        if (name == "..") {
            done.resize(std::min(done.size(), done.rfind('/')));
            continue;
        }
        auto const next = fmt::format("{}/{}", done, name);
        auto const target = std::filesystem::read_symlink(next, error).string();
        if (error) { // it is not a link, or missing
            done = next;
            continue;
        }
        if (++links > most_links)
            return next;
        if (target.starts_with('/'))
            done.clear();
        auto const more = path_parts(target);
        left.insert(left.begin(), more.begin(), more.end());
    }
    return done.empty() ? "/" : done;
}

/// Checks that an O_PATH descriptor is of a regular file; the error states why it is not read.
std::expected<void, FileProblem> check_regular(Descriptor const& place) {
    struct stat status{};
    if (!place || ::fstat(place.get(), &status) != 0)
        return std::unexpected(problem(errno));
    if (S_ISDIR(status.st_mode))
        return std::unexpected(problem(EISDIR));
    if (!S_ISREG(status.st_mode))
        return std::unexpected(FileProblem("it is no regular file, and nothing else is read", Kind::outside));
    return {};
}

/// Reads a regular file, without waiting: some files of /proc are regular and would block.
FileText read_regular(Descriptor const& place, std::size_t limit) {
    auto const file = reopen(place, O_RDONLY | O_NONBLOCK);
    return file ? text_of(file.get(), limit) : std::unexpected(problem(errno));
}

} // namespace

FileText DiskFiles::read(std::string const& path, std::size_t limit) {
    return path == "-" ? text_of(STDIN_FILENO, limit) : read_named(find(path), limit);
}

FileText DiskFiles::read_below(std::string const& folder, std::string const& name, std::size_t limit) {
    auto const base = find(folder, O_DIRECTORY);
    if (!base)
        return std::unexpected(problem(errno));
    Descriptor const place(::openat(base.get(), name.c_str(), O_PATH | O_CLOEXEC));
    if (auto const regular = check_regular(place); !regular)
        return std::unexpected(regular.error());
    auto const real = path_of(place);
    if (real.empty())
        return std::unexpected(problem(no_proc));
    if (!is_below(real, path_of(base)))
        return std::unexpected(FileProblem("it is a link out of the folder", Kind::outside));
    return read_regular(place, limit);
}

FileText DiskFiles::read_site(std::string const& path, std::size_t limit, std::span<std::string const> include_from) {
    steps_ = most_pattern_steps;
    include_from_.clear();
    for (auto const& name : include_from) {
        auto const base = find(name, O_DIRECTORY);
        if (!base)
            return std::unexpected(
                fmt::format("`{}` of --include-from is no folder to read: {}", name, problem(errno).words));
        include_from_.push_back(path_of(base));
        if (include_from_.back().empty())
            return std::unexpected(problem(no_proc));
    }
    bool const is_open = is_own_descriptor(path);
    auto const name = folder(path);
    auto const base = find(name.empty() ? "." : name, O_DIRECTORY);
    if (!base)
        return std::unexpected(problem(errno));
    // Every file is below the root.
    site_folder_ = path_of(base) == "/" ? std::string{} : path_of(base);
    if (is_open)
        return read(path, limit);
    // Read in the folder that was examined, whatever its name leads to by now.
    return read_named(Descriptor(::openat(base.get(), path.c_str() + name.size(), O_PATH | O_CLOEXEC)), limit);
}

bool DiskFiles::is_of_site(std::string const& path) const {
    return !site_folder_.empty() && (path == site_folder_ || is_below(path, site_folder_));
}

bool DiskFiles::is_included(std::string const& path) const {
    return is_of_site(path) || std::ranges::any_of(include_from_, [&](auto const& folder) {
               return path == folder || is_below(path, folder);
           });
}

bool DiskFiles::leads_to_included(std::string const& path) const {
    return is_included(path) || (!site_folder_.empty() && is_below(site_folder_, path)) ||
           std::ranges::any_of(include_from_, [&](auto const& folder) { return is_below(folder, path); });
}

std::expected<Included, FileProblem> DiskFiles::read_include(std::string const& path, std::size_t limit) {
    auto const place = find(path);
    auto const code = errno;
    // Only for the site's folders the error tells whether a file exists.
    auto const real = place ? path_of(place) : real_path(path);
    if (!place && is_included(real))
        return std::unexpected(problem(code));
    if (!is_included(real))
        return std::unexpected(FileProblem(not_included, Kind::outside));
    if (auto const regular = check_regular(place); !regular)
        return std::unexpected(regular.error());
    auto text = read_regular(place, limit);
    if (!text)
        return std::unexpected(std::move(text.error()));
    return Included{.text = std::move(*text), .is_of_site = is_of_site(real)};
}

/// The folders from which a site may include.
class DiskFiles::Tree final : public PatternTree {
public:
    explicit Tree(DiskFiles const& files) : files_(files) {}

    FilePaths names_in(std::string const& folder, std::size_t most) override {
        std::vector<std::string> names;
        auto const place = find(folder.empty() ? "." : folder, O_DIRECTORY);
        if (!place && (errno == ENOENT || errno == ENOTDIR))
            return names;
        if (!place)
            return std::unexpected(problem(errno));
        if (!files_.is_included(path_of(place)))
            return std::unexpected(FileProblem(not_included, FileProblem::Kind::outside));
        auto const descriptor = ::openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        std::unique_ptr<DIR, CloseFolder> const stream(descriptor < 0 ? nullptr : ::fdopendir(descriptor));
        if (!stream)
            return std::unexpected(problem(errno));
        while (auto const* entry = ::readdir(stream.get())) {
            names.emplace_back(entry->d_name);
            if (names.size() > most)
                break;
        }
        std::ranges::sort(names);
        return names;
    }

    std::expected<Kind, FileProblem> kind_of(std::string const& path) override {
        auto const place = find(path);
        auto const code = errno;
        if (!files_.leads_to_included(place ? path_of(place) : real_path(path)))
            return std::unexpected(FileProblem(not_included, FileProblem::Kind::outside));
        struct stat status{};
        // A dangling link is a match; its reader reports the error.
        if (!place && ::lstat(path.c_str(), &status) == 0)
            return Kind::other;
        if (!place && (code == ENOENT || code == ENOTDIR))
            return Kind::none;
        if (!place || ::fstat(place.get(), &status) != 0)
            return std::unexpected(problem(place ? errno : code));
        return S_ISDIR(status.st_mode) ? Kind::folder : Kind::other;
    }

private:
    struct CloseFolder {
        void operator()(DIR* folder) const { ::closedir(folder); }
    };

    DiskFiles const& files_;
};

FilePaths DiskFiles::glob(std::string const& folder, std::string const& pattern) {
    Tree tree(*this);
    return match_pattern(tree, folder.empty() && pattern.starts_with('/') ? "/" : folder, pattern, steps_);
}

std::string DiskFiles::identity(std::string const& path) {
    std::error_code error;
    auto const canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path : canonical.string();
}

std::string DiskFiles::folder(std::string const& path) const {
    return is_own_descriptor(path) ? std::string{} : FileReader::folder(path);
}

} // namespace lbc
