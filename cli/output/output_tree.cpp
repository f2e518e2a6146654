#include "cli/output/output_tree.hpp"

#include "backends/os/read_file.hpp"
#include "backends/os/system_error.hpp"
#include "backends/os/write_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
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

/// Refuses a path that is both a file and a folder: a director's name may be that of a file.
std::expected<void, std::string> check_names(Files const& files) {
    for (auto const& [path, text] : files)
        if (auto const next = files.lower_bound(path + '/'); next != files.end() && next->first.starts_with(path + '/'))
            return std::unexpected(fmt::format("`{}` would be a file and a director's folder", path));
    return {};
}

std::expected<std::optional<FileDifference>, std::string>
difference(std::string const& path, std::expected<std::string, int> const& there, std::string const& text) {
    if (there)
        return *there == text ? std::nullopt : std::optional(FileDifference::differs);
    switch (there.error()) {
    case EFBIG: return FileDifference::differs;
    case ENOENT:
    case ENOTDIR: return FileDifference::missing;
    default: return std::unexpected(fmt::format("cannot read `{}`: {}", path, read_error(there.error())));
    }
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
    return difference(path, read_file(path, text.size()), text); // a longer file differs
}

std::expected<std::set<std::string>, std::string> parse_manifest(std::string_view text) {
    if (!text.starts_with(manifest_header))
        return std::unexpected("is not a list that lbc made: its first line is another");
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

std::expected<OutputTree, std::string> OutputTree::compare(Files files, std::string folder, Options options) {
    OutputTree tree(std::move(files), std::move(folder), std::move(options));
    for (auto const step : {&OutputTree::open, &OutputTree::read_list})
        if (auto const done = (tree.*step)(); !done)
            return std::unexpected(done.error());
    if (auto const names = check_names(tree.files_); !names)
        return std::unexpected(names.error());
    if (auto const found = tree.find_differences(); !found)
        return std::unexpected(found.error());
    return tree;
}

std::string OutputTree::shown(std::string const& path) const { return (fs::path(folder_) / path).string(); }

std::expected<void, std::string> OutputTree::open() {
    auto root = open_folder(folder_, Missing::fails);
    if (root)
        root_ = std::move(*root);
    else if (root.error().code != ENOENT)
        return std::unexpected(fmt::format("cannot open `{}`: {}", folder_, root.error().message));
    return {};
}

/// Has no folder if that of the file is missing.
std::expected<Place, std::string> OutputTree::find(std::string const& path, Missing missing) const {
    if (!root_)
        return Place{};
    auto place = find_below({root_, folder_}, path, missing);
    if (!place)
        return std::unexpected(place.error().message);
    return std::move(*place);
}

std::expected<void, std::string> OutputTree::read_list() {
    if (options_.is_listed == nullptr)
        return {};
    for (auto const& [path, text] : files_)
        new_.insert(path);
    files_[manifest_name] = manifest_text(new_);
    auto const place = find(manifest_name, Missing::fails);
    if (!place)
        return std::unexpected(place.error());
    if (!place->folder)
        return {};
    auto const text = read_file_at(place->folder.get(), place->name, largest_manifest, O_NOFOLLOW);
    if (!text && text.error() == ENOENT)
        return {};
    if (!text)
        return std::unexpected(fmt::format("cannot read `{}`: {}", shown(manifest_name), read_error(text.error())));
    auto paths = parse_manifest(*text);
    if (!paths)
        return std::unexpected(fmt::format("`{}` {}", shown(manifest_name), paths.error()));
    old_ = std::move(*paths);
    return {};
}

std::expected<std::optional<FileDifference>, std::string> OutputTree::find_difference(std::string const& path) {
    auto const made = files_.find(path);
    auto const is_there = [&](Descriptor const& folder, std::string const& name) {
        return folder && ::faccessat(folder.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    };
    // A merge conflict leaves other lines in a list, but no file with such a name.
    if (made == files_.end() && !options_.is_listed(path)) {
        if (!is_there(root_, path))
            return std::nullopt;
        return std::unexpected(fmt::format("`{}` lists `{}`, and lbc makes no file of that name; take the line out, or "
                                           "remove the file yourself",
                                           shown(manifest_name), path));
    }
    auto const place = find(path, Missing::fails);
    if (!place)
        return std::unexpected(place.error());
    if (made != files_.end()) {
        if (!place->folder)
            return FileDifference::missing;
        auto const there = read_file_at(place->folder.get(), place->name, made->second.size(), O_NOFOLLOW);
        return difference(shown(path), there, made->second);
    }
    if (!is_there(place->folder, place->name))
        return std::nullopt;
    return FileDifference::left_over;
}

std::expected<void, std::string> OutputTree::find_differences() {
    auto all = old_;
    for (auto const& [path, text] : files_)
        all.insert(path);
    for (auto const& path : all) {
        auto const found = find_difference(path);
        if (!found)
            return std::unexpected(found.error());
        if (*found)
            findings_.push_back({path, **found});
    }
    return {};
}

std::expected<void, std::string> OutputTree::write_one(std::string const& path, std::string const& text) {
    if (!root_) {
        auto root = open_folder(folder_, Missing::is_made);
        if (!root)
            return std::unexpected(fmt::format("cannot make `{}`: {}", folder_, root.error().message));
        root_ = std::move(*root);
    }
    auto const place = find(path, Missing::is_made);
    if (!place)
        return std::unexpected(place.error());
    auto const readers = options_.for_owner.contains(path) ? Readers::owner : Readers::all;
    if (auto const written = replace_file(*place, text, readers); !written)
        return std::unexpected(fmt::format("cannot write `{}`: {}", shown(path), written.error().message));
    return {};
}

std::expected<void, std::string> OutputTree::remove_one(std::string const& path) {
    auto const place = find(path, Missing::fails);
    if (!place)
        return std::unexpected(place.error());
    if (!place->folder)
        return {};
    if (::unlinkat(place->folder.get(), place->name.c_str(), 0) != 0)
        return std::unexpected(fmt::format("cannot remove `{}`: {}", shown(path), errno_text(errno)));
    removed_.push_back(path);
    // The loop ends at the first folder that is not empty.
    for (auto parent = fs::path(path).parent_path(); !parent.empty(); parent = parent.parent_path()) {
        auto const above = enter_below({root_, folder_}, parent.parent_path().string(), Missing::fails);
        if (!above || !*above || ::unlinkat(above->get(), parent.filename().c_str(), AT_REMOVEDIR) != 0)
            break;
    }
    return {};
}

std::expected<void, std::string> OutputTree::write() {
    auto const is_list = [this](Finding const& finding) {
        return options_.is_listed != nullptr && finding.path == manifest_name;
    };
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
