#include "backends/os/path_pattern.hpp"

#include "backends/os/path_parts.hpp"

#include <fmt/format.h>

#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>

namespace lbc {
namespace {

/// The one name that a part of a pattern matches; none if it can match several.
std::optional<std::string> literal_of(std::string_view part) {
    std::string name;
    for (std::size_t at = 0; at < part.size(); ++at) {
        if (std::string_view("*?[").contains(part[at]))
            return std::nullopt;
        if (part[at] == '\\' && at + 1 < part.size())
            ++at;
        name += part[at];
    }
    return name;
}

using Expanded = std::expected<void, FileProblem>;

class Expansion {
public:
    Expansion(PatternTree& tree, std::size_t& steps) : tree_(tree), steps_(steps) {}

    /// Adds the matches of `parts` below `folder`, which ends in `/` or is empty.
    Expanded expand(std::string const& folder, std::span<std::string const> parts) {
        if (auto const name = literal_of(parts.front()))
            return step(1) ? add(folder + *name, parts.subspan(1)) : too_many();
        if (!step(1))
            return too_many();
        auto const names = tree_.names_in(folder, steps_);
        if (!names)
            return std::unexpected(names.error());
        for (auto const& name : *names) {
            if (!step(1))
                return too_many();
            if (::fnmatch(parts.front().c_str(), name.c_str(), FNM_PERIOD) == 0)
                if (auto added = add(folder + name, parts.subspan(1)); !added)
                    return added;
        }
        return {};
    }

    std::set<std::string> matches;

private:
    Expanded add(std::string const& path, std::span<std::string const> rest) {
        auto const kind = tree_.kind_of(path);
        if (kind && *kind == PatternTree::Kind::none)
            return {};
        if (rest.empty()) {
            matches.insert(path);
            return {};
        }
        if (!kind)
            return std::unexpected(kind.error());
        return *kind == PatternTree::Kind::folder ? expand(path + '/', rest) : Expanded{};
    }

    bool step(std::size_t count) {
        if (steps_ < count)
            return false;
        steps_ -= count;
        return true;
    }

    static Expanded too_many() {
        return std::unexpected(
            FileProblem(fmt::format("the patterns of the site lead to more than {} names", most_pattern_steps),
                        FileProblem::Kind::too_many));
    }

    PatternTree& tree_;
    std::size_t& steps_;
};

} // namespace

FilePaths match_pattern(PatternTree& tree, std::string const& start, std::string_view pattern, std::size_t& steps) {
    auto const parts = path_parts(pattern);
    Expansion expansion(tree, steps);
    if (!parts.empty())
        if (auto const done = expansion.expand(start, parts); !done)
            return std::unexpected(done.error());
    return std::vector<std::string>(expansion.matches.begin(), expansion.matches.end());
}

} // namespace lbc
