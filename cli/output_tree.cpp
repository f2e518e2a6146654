#include "cli/output_tree.hpp"

#include "backends/read_file.hpp"
#include "backends/write_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace lbc {
namespace {

namespace fs = std::filesystem;

constexpr char const* manifest_name = "MANIFEST";
constexpr std::size_t largest_manifest = std::size_t{16} << 20U;
constexpr std::size_t longest_path = 1024;

std::string manifest_text(std::set<std::string> const& paths) {
    std::string text(manifest_header);
    for (auto const& path : paths)
        text += path + '\n';
    return text;
}

/// Whether lbc could have made a file of that name: a relative path with no hidden part, so neither `..` nor `.git`.
bool is_path_below(std::string_view path) {
    if (path.empty() || path.size() > longest_path)
        return false;
    for (std::size_t at = 0; at <= path.size(); at = std::min(path.find('/', at), path.size()) + 1) {
        auto const part = path.substr(at, path.find('/', at) - at);
        if (part.empty() || part.front() == '.')
            return false;
    }
    return std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Refuses a path that leads through a symbolic link, or to something else than a file.
std::expected<void, std::string> check_place(fs::path const& folder, std::string const& path) {
    auto place = folder;
    for (auto const& part : fs::path(path)) {
        place /= part;
        std::error_code error;
        auto const type = fs::symlink_status(place, error).type();
        if (type == fs::file_type::not_found)
            return {};
        if (type == fs::file_type::none)
            return std::unexpected(fmt::format("cannot look at `{}`: {}", place.string(), error.message()));
        bool const is_last = place == folder / path;
        if (type == fs::file_type::symlink)
            return std::unexpected(
                fmt::format("`{}` is a symbolic link, and compiled files are not written through it", place.string()));
        if (type != (is_last ? fs::file_type::regular : fs::file_type::directory))
            return std::unexpected(fmt::format("`{}` is no {}", place.string(), is_last ? "regular file" : "folder"));
    }
    return {};
}

std::expected<std::set<std::string>, std::string> read_manifest(fs::path const& folder) {
    auto const path = (folder / manifest_name).string();
    auto const text = read_file(path, largest_manifest, O_NONBLOCK);
    if (!text && (text.error() == ENOENT || text.error() == ENOTDIR))
        return {};
    if (!text)
        return std::unexpected(
            fmt::format("cannot read `{}`: {}", path, std::generic_category().message(text.error())));
    auto paths = parse_manifest(*text);
    if (!paths)
        return std::unexpected(fmt::format("`{}` {}", path, paths.error()));
    return paths;
}

/// A director's name may be that of a file.
std::expected<void, std::string> check_names(Files const& files) {
    for (auto const& [path, text] : files)
        if (auto const next = files.lower_bound(path + '/'); next != files.end() && next->first.starts_with(path + '/'))
            return std::unexpected(fmt::format("`{}` would be a file and a director's folder", path));
    return {};
}

} // namespace

std::string_view to_string(FileDifference difference) {
    switch (difference) {
    case FileDifference::differs: return "differs";
    case FileDifference::missing: return "missing";
    case FileDifference::left_over: return "left over";
    }
    return {};
}

std::expected<std::optional<FileDifference>, std::string> compare_file(std::string const& path,
                                                                       std::string const& text) {
    // What is longer differs; and a pipe is not waited for.
    auto const there = read_file(path, text.size(), O_NONBLOCK);
    if (there)
        return *there == text ? std::nullopt : std::optional(FileDifference::differs);
    switch (there.error()) {
    case EFBIG: return FileDifference::differs;
    case ENOENT:
    case ENOTDIR: return FileDifference::missing;
    default:
        return std::unexpected(
            fmt::format("cannot read `{}`: {}", path, std::generic_category().message(there.error())));
    }
}

std::expected<std::set<std::string>, std::string> parse_manifest(std::string_view text) {
    if (!text.starts_with(manifest_header))
        return std::unexpected("is no list of lbc's: its first line is another");
    text.remove_prefix(manifest_header.size());
    std::set<std::string> paths;
    for (std::size_t line = 2; !text.empty(); ++line) {
        auto const path = text.substr(0, text.find('\n'));
        if (!is_path_below(path))
            return std::unexpected(fmt::format("has no path below its folder in line {}", line));
        paths.emplace(path);
        text.remove_prefix(std::min(path.size() + 1, text.size()));
    }
    return paths;
}

std::expected<OutputTree, std::string> OutputTree::compare(Files files, std::string folder, bool listed) {
    OutputTree tree(std::move(files), std::move(folder), listed);
    if (auto const read = listed ? tree.read_list() : std::expected<void, std::string>(); !read)
        return std::unexpected(read.error());
    if (auto const names = check_names(tree.files_); !names)
        return std::unexpected(names.error());
    if (auto const found = tree.find_differences(); !found)
        return std::unexpected(found.error());
    return tree;
}

std::expected<void, std::string> OutputTree::read_list() {
    for (auto const& [path, text] : files_)
        new_.insert(path);
    files_[manifest_name] = manifest_text(new_);
    if (auto place = check_place(folder_, manifest_name); !place)
        return place;
    auto old = read_manifest(folder_);
    if (!old)
        return std::unexpected(old.error());
    old_ = std::move(*old);
    return {};
}

std::expected<void, std::string> OutputTree::find_differences() {
    auto all = old_;
    for (auto const& [path, text] : files_)
        all.insert(path);
    for (auto const& path : all) {
        if (auto place = listed_ ? check_place(folder_, path) : std::expected<void, std::string>(); !place)
            return place;
        auto const place = (fs::path(folder_) / path).string();
        if (auto const made = files_.find(path); made != files_.end()) {
            auto const difference = compare_file(place, made->second);
            if (!difference)
                return std::unexpected(difference.error());
            if (*difference)
                findings_.push_back({path, **difference});
        } else if (std::error_code error; fs::exists(place, error)) {
            findings_.push_back({path, FileDifference::left_over});
        }
    }
    return {};
}

std::expected<void, std::string> OutputTree::write_one(std::string const& path, std::string const& text) const {
    auto const place = fs::path(folder_) / path;
    std::error_code error;
    fs::create_directories(place.parent_path(), error);
    if (error)
        return std::unexpected(fmt::format("cannot make `{}`: {}", place.parent_path().string(), error.message()));
    return write_file(place.string(), text);
}

std::expected<void, std::string> OutputTree::remove_one(std::string const& path) const {
    auto const place = fs::path(folder_) / path;
    std::error_code error;
    fs::remove(place, error);
    if (error)
        return std::unexpected(fmt::format("cannot remove `{}`: {}", place.string(), error.message()));
    // A folder with something in it is not removed, and that ends it.
    for (auto parent = fs::path(path).parent_path(); !parent.empty(); parent = parent.parent_path())
        if (!fs::remove(fs::path(folder_) / parent, error))
            break;
    return {};
}

std::expected<void, std::string> OutputTree::write() const {
    auto const is_list = [this](Finding const& finding) { return listed_ && finding.path == manifest_name; };
    bool const list_differs = std::ranges::any_of(findings_, is_list);
    auto both = old_;
    both.insert(new_.begin(), new_.end());
    // Before anything else the list gets the new names and keeps the old ones.
    if (list_differs && both != old_)
        if (auto written = write_one(manifest_name, manifest_text(both)); !written)
            return written;
    for (auto const& finding : findings_) {
        if (is_list(finding))
            continue;
        auto const& path = finding.path;
        auto done =
            finding.difference == FileDifference::left_over ? remove_one(path) : write_one(path, files_.at(path));
        if (!done)
            return done;
    }
    if (list_differs && (both != new_ || both == old_))
        return write_one(manifest_name, files_.at(manifest_name));
    return {};
}

} // namespace lbc
