#include "backends/iptables/apply.hpp"

#include "backends/limits.hpp"
#include "cli/commands.hpp"
#include "cli/site_input.hpp"
#include "compiler/layout.hpp"
#include "compiler/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string only;
    ApplyOptions apply;

    void add_to(CLI::App& subcommand) {
        subcommand.add_option("--only", only, "marks: the mangle tables")
            ->check(CLI::IsMember({"marks"}))
            ->option_text("marks");
        subcommand.add_flag("--dry-run", apply.dry_run, "print what would change, and change nothing");
        subcommand
            .add_option_function<std::string>(
                "--wait",
                [this](std::string const& text) {
                    auto const time = parse_time(text);
                    if (!time)
                        throw CLI::ValidationError("--wait", time.error().message);
                    apply.wait = *time;
                },
                "how long to wait for the xtables lock")
            ->option_text("TIME [5s]");
    }
};

/// A ruleset as lines, each with the chain it stands in.
std::vector<std::string> lines_of(Ruleset const& rules) {
    std::vector<std::string> lines;
    for (auto const& chain : rules.chains) {
        lines.push_back("-N " + chain.name);
        for (auto const& rule : chain.rules)
            lines.push_back("-A " + chain.name + " " + to_string(rule));
    }
    for (auto const& hook : rules.hooks)
        lines.push_back("-A " + hook.builtin + " " + to_string(hook.rule));
    return lines;
}

/// What differs, between the lines that both begin and end with.
std::string difference(FamilyChange const& change, bool colour) {
    auto const before = lines_of(change.before);
    auto const after = lines_of(change.after);
    auto const [from, to] = std::ranges::mismatch(before, after);
    auto const [from_back, to_back] =
        std::mismatch(before.rbegin(), std::reverse_iterator(from), after.rbegin(), std::reverse_iterator(to));
    std::string text;
    for (auto const& line : std::ranges::subrange(from, from_back.base()))
        text += fmt::format("  {}- {}{}\n", colour ? "\x1b[31m" : "", line, colour ? "\x1b[0m" : "");
    for (auto const& line : std::ranges::subrange(to, to_back.base()))
        text += fmt::format("  {}+ {}{}\n", colour ? "\x1b[32m" : "", line, colour ? "\x1b[0m" : "");
    return text;
}

std::size_t rule_count(Ruleset const& rules) {
    std::size_t count = 0;
    for (auto const& chain : rules.chains)
        count += chain.rules.size();
    return count;
}

void print_changes(std::vector<FamilyChange> const& changes, std::string_view who, bool dry_run,
                   Environment const& environment) {
    if (changes.empty())
        environment.out << fmt::format("{}: nothing differs, nothing written\n", who);
    for (auto const& change : changes) {
        environment.out << fmt::format(
            "{}: {} mangle table {}: rules {} -> {}\n", who, change.family == Family::ipv4 ? "IPv4" : "IPv6",
            dry_run ? "would change" : "changed", rule_count(change.before), rule_count(change.after));
        if (dry_run)
            environment.out << difference(change, environment.colour_out);
    }
}

Status print_apply_failure(ApplyFailure const& failure, Environment const& environment) {
    switch (failure.outcome) {
    case ApplyFailure::Outcome::refused:
        print_failure(environment, failure.error.message + "; nothing was touched");
        return Status::refused;
    case ApplyFailure::Outcome::taken_back:
        print_failure(environment, failure.error.message + "; what was done is taken back");
        return Status::taken_back;
    case ApplyFailure::Outcome::left_behind: break;
    }
    print_failure(environment, failure.error.message + "; it could not all be taken back, and this is left:");
    for (auto const& line : failure.left)
        environment.err << "  " << line << '\n';
    return Status::left_behind;
}

Status finish(std::expected<std::vector<FamilyChange>, ApplyFailure> const& result, std::string_view who,
              Options const& options, Environment const& environment) {
    if (!result)
        return print_apply_failure(result.error(), environment);
    print_changes(*result, who, options.apply.dry_run, environment);
    return Status::done;
}

Status apply_site(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    if (input->good())
        report_limits(input->site, Output::marks, input->diagnostics);
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    auto const director = choose_director(input->site, options.site.director, environment.host);
    if (!director) {
        print_failure(environment, director.error());
        return Status::bad_input;
    }
    auto const plan = make_plan(input->site, *director);
    MarkRules wanted;
    std::ranges::transform(families, wanted.begin(),
                           [&](Family family) { return layout_linear(input->site, plan.marks, family); });
    auto const kernel = environment.kernel();
    return finish(apply_marks(*kernel, wanted, options.apply), input->site[*director].name.value, options, environment);
}

} // namespace

Command add_apply(CLI::App& subcommand) {
    auto options = std::make_shared<Options>();
    options->site.add_to(subcommand, true);
    options->add_to(subcommand);
    subcommand.get_option("--only")->required()->description("what to apply; marks: the mangle tables. IPVS is loaded "
                                                             "from `compile --emit ipvsadm`, or by its script");
    return [options](Environment const& environment) { return apply_site(*options, environment); };
}

Command add_remove(CLI::App& subcommand) {
    auto options = std::make_shared<Options>();
    options->site.add_to(subcommand, true);
    subcommand.get_option("FILE")->required(false)->description("not needed: lbc's chains are known by their names");
    options->add_to(subcommand);
    return [options](Environment const& environment) {
        auto const kernel = environment.kernel();
        return finish(remove_marks(*kernel, options->apply), "remove", *options, environment);
    };
}

} // namespace lbc
