#include "cli/input/git_files.hpp"

#include "backends/os/run_program.hpp"
#include "cli/input/git_tree.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

namespace lbc {
namespace {

constexpr std::size_t largest_listing = std::size_t{256} << 20U;
constexpr std::size_t longest_line = 65536;
constexpr std::chrono::minutes longest_git{2};

/// The first line of git's message, without its prefix for an error.
std::string words_of(std::string_view text) {
    text = text.substr(0, text.find('\n'));
    for (std::string_view const start : {"fatal: ", "error: "})
        if (text.starts_with(start))
            text.remove_prefix(start.size());
    return std::string(text.empty() ? "git failed and said nothing" : text);
}

/// git's output; the error is its message.
std::expected<std::string, std::string> git(std::vector<std::string> arguments, std::size_t limit) {
    // A repository may name programs to run, for its state (core.fsmonitor) or to fetch what it lacks; nothing here
    // needs one.
    std::vector<std::string> words{"git", "--no-pager", "-c", "core.fsmonitor=false"};
    std::ranges::move(arguments, std::back_inserter(words));
    auto ended = run_program({.words = std::move(words),
                              .variables = {{"GIT_ALLOW_PROTOCOL", "none"},
                                            {"GIT_TERMINAL_PROMPT", "0"},
                                            {"GIT_OPTIONAL_LOCKS", "0"},
                                            {"GIT_NO_LAZY_FETCH", "1"},
                                            {"GIT_LITERAL_PATHSPECS", "0"},
                                            {"LC_ALL", "C"}},
                              .limit = limit,
                              .patience = longest_git});
    if (!ended)
        return std::unexpected(ended.error().message);
    if (ended->too_slow)
        return std::unexpected("git did not end");
    if (ended->too_long)
        return std::unexpected(fmt::format("larger than {} MiB", limit >> 20U));
    if (!ended->good())
        return std::unexpected(words_of(ended->err));
    return std::move(ended->out);
}

std::expected<std::string, std::string> git_line(std::vector<std::string> arguments) {
    auto text = git(std::move(arguments), longest_line);
    while (text && text->ends_with('\n'))
        text->pop_back();
    return text;
}

/// PATH from the root of the repository.
std::expected<std::string, std::string> path_from_root(std::string const& path) {
    if (path.starts_with('/'))
        return std::unexpected("the path begins at the repository's root, and so without a `/`");
    if (!path.starts_with("./") && !path.starts_with("../"))
        return path;
    auto const here = git_line({"rev-parse", "--show-prefix"});
    if (!here)
        return here;
    auto whole = std::filesystem::path(*here + path).lexically_normal().string();
    if (whole == ".." || whole.starts_with("../"))
        return std::unexpected(out_of_repository);
    return whole;
}

std::expected<std::string, std::string> list(std::string const& revision) {
    if (revision.empty())
        return git({"ls-files", "-s", "-z", "--full-name", ":/"}, largest_listing);
    if (revision.starts_with('-'))
        return std::unexpected(fmt::format("`{}` is not a revision", revision));
    // From here on, the revision is named by its id.
    auto const tree = git_line({"rev-parse", "--verify", "--end-of-options", revision + "^{tree}"});
    if (!tree)
        return std::unexpected(fmt::format("`{}` is not a revision of this repository: {}", revision, tree.error()));
    return git({"ls-tree", "-r", "-z", "--full-tree", *tree}, largest_listing);
}

/// The `:` between a revision and a path: not one in braces, as in `HEAD^{/fix: typo}`.
std::size_t find_colon(std::string_view text) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        depth += text[i] == '{' ? 1 : 0;
        depth -= text[i] == '}' ? 1 : 0;
        if (text[i] == ':' && depth <= 0)
            return i;
    }
    return std::string_view::npos;
}

} // namespace

std::optional<RevisionPath> parse_revision_path(std::string_view text) {
    auto const colon = find_colon(text);
    if (colon == std::string_view::npos || text.starts_with('/') || text.starts_with("./") || text.starts_with("../"))
        return std::nullopt;
    return RevisionPath{.revision = std::string(text.substr(0, colon)), .path = std::string(text.substr(colon + 1))};
}

std::expected<Revision, std::string> open_revision(RevisionPath const& wanted) {
    auto const path = path_from_root(wanted.path);
    if (!path)
        return std::unexpected(path.error());
    auto const listing = list(wanted.revision);
    if (!listing)
        return std::unexpected(listing.error());
    auto const read_blob = [](std::string const& id, std::size_t limit) {
        return git({"cat-file", "blob", id}, limit);
    };
    return Revision{.files = std::make_unique<GitTree>(wanted.revision, *listing, read_blob),
                    .name = fmt::format("{}:{}", wanted.revision, *path)};
}

} // namespace lbc
