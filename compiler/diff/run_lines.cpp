#include "compiler/diff/lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

namespace lbc {
namespace {

using Run = RunChange::Run;
using OptionalReal = std::optional<SiteCommand::Real>;
using Names = std::vector<std::string>;

/// The place of a command: its subject has the name from after the change.
using Place = std::tuple<std::string, SiteCommand::Kind, OptionalReal>;

/// The runs at a place before and after.
struct Pair {
    std::vector<Run> before;
    std::vector<Run> after;
};
using Places = std::map<Place, Pair>;

/// The runs on one director after the change, or before it.
using RunsOf = std::vector<Run> Pair::*;

class RunChanges {
public:
    explicit RunChanges(Comparison const& all)
        : all_(all), before_(commands_of(*all.before.site)), after_(commands_of(*all.after.site)) {
        for (auto const& [old, wanted] : pair_instances(*all.before.site, *all.after.site))
            if (old != nullptr && wanted != nullptr)
                renamed_.emplace("vrrp " + old->name.value, "vrrp " + wanted->name.value);
        for (auto const& [old, wanted] : all.renamed)
            renamed_.emplace("service " + old, "service " + wanted);
    }

    std::vector<RunChange> run() {
        for (auto const& director : all_.directors) {
            Places places;
            if (!director.joins())
                add(before_, all_.before.site->find_director(director.before->name), &Pair::before, places);
            if (!director.leaves())
                add(after_, all_.after.site->find_director(director.after->name), &Pair::after, places);
            for (auto const& [place, pair] : places)
                for (auto const& [was, is] : replaced_runs(pair.before, pair.after))
                    changed_[{place, was, is}].push_back(director.name);
        }
        return merged();
    }

private:
    using Changed = std::tuple<Place, std::optional<Run>, std::optional<Run>>;

    void add(std::vector<SiteCommand> const& commands, std::optional<DirectorId> director, RunsOf side,
             Places& places) const {
        for (auto const& command : commands) {
            if (!director || !contains(command.directors, *director))
                continue;
            auto const renamed = renamed_.find(command.subject);
            auto const& subject =
                side == &Pair::before && renamed != renamed_.end() ? renamed->second : command.subject;
            auto const one = [&](OptionalReal const& real) {
                (places[{subject, command.kind, real}].*side).push_back({command.user, command.text});
            };
            if (command.reals.empty())
                one(std::nullopt);
            for (auto const& real : command.reals)
                one(real);
        }
    }

    /// Merges changes that are the same for several real servers and directors.
    [[nodiscard]] std::vector<RunChange> merged() const {
        std::map<std::tuple<std::string, SiteCommand::Kind, bool, std::optional<Run>, std::optional<Run>, Names>, Names>
            grouped;
        for (auto const& [changed, directors] : changed_) {
            auto const& [place, before, after] = changed;
            auto const& [subject, kind, real] = place;
            auto& reals = grouped[{subject, kind, real.has_value(), before, after, directors}];
            if (real)
                reals.push_back(all_.name_of(real->first, real->second));
        }
        std::vector<RunChange> changes;
        for (auto const& [key, reals] : grouped) {
            auto const& [subject, kind, of_reals, before, after, directors] = key;
            changes.push_back({kind, subject, place_of(kind, reals), reals, directors, before, after});
        }
        return changes;
    }

    Comparison const& all_;
    std::vector<SiteCommand> before_;
    std::vector<SiteCommand> after_;
    std::map<std::string, std::string> renamed_; // subjects
    std::map<Changed, Names> changed_;
};

} // namespace

std::vector<ReplacedRun> replaced_runs(std::vector<Run> const& was, std::vector<Run> const& is) {
    auto const missing_in = [](std::vector<Run> const& other, std::vector<Run> const& list) {
        std::map<Run, std::size_t> there;
        for (auto const& run : other)
            ++there[run];
        std::vector<Run> missing;
        for (auto const& run : list)
            if (auto const found = there.find(run); found == there.end() || found->second == 0)
                missing.push_back(run);
            else
                --found->second;
        return missing;
    };
    auto const before = missing_in(is, was);
    auto const after = missing_in(was, is);
    auto const at = [](std::vector<Run> const& list, std::size_t index) {
        return index < list.size() ? std::optional(list[index]) : std::nullopt;
    };
    std::vector<ReplacedRun> replaced;
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i)
        replaced.emplace_back(at(before, i), at(after, i));
    return replaced;
}

std::string sentence(RunChange const& change) {
    auto const& now = change.after ? *change.after : *change.before;
    std::string_view const what = change.kind == SiteCommand::Kind::check_file ? "file" : "command";
    auto const word = !change.before  ? fmt::format("new {}", what)
                      : !change.after ? fmt::format("{} removed", what)
                                      : fmt::format("{} changed", what);
    return fmt::format("{} as {}: {}{}{}, {}: {}", verb_of(change.kind), now.user, fmt::join(change.directors, ", "),
                       change.directors.empty() ? "" : ": ", change.subject, change.place, word);
}

std::vector<std::string> run_lines(RunChange const& change) {
    bool const other_user = change.before && change.after && change.before->user != change.after->user;
    std::vector<std::string> lines;
    for (auto const& [run, sign] : {std::pair{&change.before, '-'}, {&change.after, '+'}})
        if (*run)
            lines.push_back(fmt::format("{} `{}`{}", sign, (*run)->command,
                                        other_user ? fmt::format(" as {}", (*run)->user) : std::string()));
    return lines;
}

std::vector<RunChange> run_changes(Comparison const& all) { return RunChanges(all).run(); }

} // namespace lbc
