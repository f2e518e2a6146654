#include "cli/input/git_tree.hpp"

#include "backends/os/path_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

constexpr auto link_mode = "120000";
constexpr auto submodule_mode = "160000";
constexpr std::size_t most_links = 40; // as Linux follows
// A checkout cannot have longer ones (PATH_MAX, NAME_MAX), so no honest repository has them.
constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_name = 255;

std::string no_such_file() { return std::strerror(ENOENT); }

bool is_too_long(std::string_view name) { return name.size() > longest_name; }

std::string parent_of(std::string const& path) {
    auto const slash = path.rfind('/');
    return slash == std::string::npos ? std::string{} : path.substr(0, slash);
}

} // namespace

GitTree::GitTree(std::string const& revision, std::string_view listing, ReadBlob read_blob)
    : prefix_(revision + ':'), read_blob_(std::move(read_blob)) {
    // `MODE TYPE ID<TAB>PATH` of a tree, `MODE ID STAGE<TAB>PATH` of the index, each ended by a NUL.
    while (!listing.empty()) {
        auto const line = listing.substr(0, listing.find('\0'));
        listing.remove_prefix(std::min(line.size() + 1, listing.size()));
        auto const tab = line.find('\t');
        auto const first = line.find(' ');
        auto const second = line.find(' ', first + 1);
        if (tab == std::string_view::npos || second >= tab)
            continue;
        auto const middle = line.substr(first + 1, second - first - 1);
        auto const last = line.substr(second + 1, tab - second - 1);
        auto const path = line.substr(tab + 1);
        if (path.size() > longest_path || std::ranges::any_of(path_parts(path), is_too_long))
            continue;
        bool const is_index = middle != "blob" && middle != "commit";
        entries_[std::string(path)] = {.mode = std::string(line.substr(0, first)),
                                       .id = std::string(is_index ? middle : last),
                                       .unmerged = is_index && last != "0"};
    }
}

FileText GitTree::read(std::string const& path, std::size_t limit) {
    auto const real = locate(path);
    if (!real)
        return real;
    auto const entry = entries_.find(*real);
    if (entry == entries_.end())
        return std::unexpected(is_folder(*real) ? std::strerror(EISDIR) : no_such_file());
    if (entry->second.mode == submodule_mode)
        return std::unexpected("it is a submodule");
    if (entry->second.unmerged)
        return std::unexpected("it is unmerged in the index");
    return read_blob_(entry->second.id, limit);
}

std::string GitTree::identity(std::string const& path) {
    auto const real = locate(path);
    return real ? *real : path;
}

std::string GitTree::folder(std::string const& path) const {
    auto const slash = path.rfind('/');
    return slash != std::string::npos && slash >= prefix_.size() ? path.substr(0, slash + 1) : prefix_;
}

GitTree::Path GitTree::inside(std::string const& path) const {
    if (path.starts_with(prefix_))
        return path.substr(prefix_.size());
    return std::unexpected("it is no path inside of the repository, and a revision has no other files");
}

GitTree::Path GitTree::locate(std::string const& path) {
    auto const below = inside(path);
    return below ? resolve(*below) : below;
}

/// The path without links, `.` and `..`. It need not exist; the folders on the way to it must.
GitTree::Path GitTree::resolve(std::string_view path) {
    auto const parts = path_parts(path);
    std::deque<std::string> left(parts.begin(), parts.end());
    std::string done;
    for (std::size_t links = 0; !left.empty();) {
        auto const part = std::move(left.front());
        left.pop_front();
        if (part == "..") {
            if (done.empty())
                return std::unexpected(out_of_repository);
            done = parent_of(done);
            continue;
        }
        auto const next = done.empty() ? part : fmt::format("{}/{}", done, part);
        auto const entry = entries_.find(next);
        if (entry != entries_.end() && entry->second.mode == link_mode) {
            if (++links > most_links)
                return std::unexpected(std::strerror(ELOOP));
            auto const target = link_target(next, entry->second);
            if (!target)
                return target;
            auto const more = path_parts(*target);
            if (more.size() > steps_)
                return std::unexpected(
                    FileProblem("the links on the way have too many parts", FileProblem::Kind::too_many));
            steps_ -= more.size();
            left.insert(left.begin(), more.begin(), more.end());
            continue;
        }
        if (!left.empty() && !is_folder(next))
            return std::unexpected(entry == entries_.end() ? no_such_file() : std::strerror(ENOTDIR));
        done = next;
    }
    return done;
}

GitTree::Path GitTree::link_target(std::string const& link, Entry const& entry) {
    auto known = links_.find(entry.id);
    if (known == links_.end()) {
        auto target = read_blob_(entry.id, longest_path);
        if (!target)
            return target;
        known = links_.emplace(entry.id, std::move(*target)).first;
    }
    if (known->second.starts_with('/'))
        return std::unexpected(fmt::format("`{}` is a symbolic link out of the repository", link));
    return known->second;
}

bool GitTree::is_folder(std::string const& path) const {
    if (path.empty())
        return true;
    auto const inner = entries_.lower_bound(path + '/');
    return inner != entries_.end() && inner->first.starts_with(path + '/');
}

std::vector<std::string> GitTree::names_in(std::string const& folder, std::size_t most) const {
    auto const start = folder.empty() ? folder : folder + '/';
    std::vector<std::string> names;
    for (auto entry = entries_.lower_bound(start);
         entry != entries_.end() && entry->first.starts_with(start) && names.size() <= most;) {
        auto const slash = entry->first.find('/', start.size());
        names.push_back(entry->first.substr(start.size(), slash - start.size()));
        // Past all that a folder has: `0` comes behind `/`.
        entry = slash == std::string::npos ? std::next(entry) : entries_.lower_bound(start + names.back() + '0');
    }
    return names;
}

/// The folders of a revision, by their paths from the root.
class GitTree::Folders final : public PatternTree {
public:
    explicit Folders(GitTree& tree) : tree_(tree) {}

    FilePaths names_in(std::string const& folder, std::size_t most) override {
        auto const real = tree_.resolve(folder);
        if (!real && real.error() == no_such_file())
            return std::vector<std::string>{};
        if (!real)
            return std::unexpected(real.error());
        return tree_.names_in(*real, most);
    }

    std::expected<Kind, FileProblem> kind_of(std::string const& path) override {
        auto const real = tree_.resolve(path);
        if (!real && real.error() == no_such_file())
            return Kind::none;
        if (!real)
            return std::unexpected(real.error());
        if (tree_.is_folder(*real))
            return Kind::folder;
        return tree_.entries_.contains(*real) ? Kind::other : Kind::none;
    }

private:
    GitTree& tree_;
};

FilePaths GitTree::glob(std::string const& folder, std::string const& pattern) {
    auto const start = inside(folder);
    if (!start)
        return std::unexpected(inside(pattern).error());
    Folders folders(*this);
    auto paths = match_pattern(folders, *start, pattern, steps_);
    if (paths)
        for (auto& path : *paths)
            path.insert(0, prefix_);
    return paths;
}

} // namespace lbc
