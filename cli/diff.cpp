#include "backends/ipvs/ipvs_plan.hpp"
#include "cli/commands.hpp"
#include "cli/diff_output.hpp"
#include "cli/kernel_view.hpp"
#include "cli/site_input.hpp"
#include "compiler/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <ostream>
#include <set>

namespace lbc {
namespace {

/// GitHub takes comments of up to 65,536 characters; GitLab takes more.
constexpr std::size_t comment_limit = 65'000;

struct Options {
    SiteOptions site; // of the side that is new
    std::string old_file;
    std::string format = "text";
    std::string only;
    bool rules = false;
    bool exit_code = false;
};

/// What brings a director from one state to another, as `apply` would, or keepalived for it.
DirectorWrites writes_between(std::string const& name, std::vector<FamilyChange> const& tables,
                              std::vector<IpvsService> const& before, std::vector<IpvsService> const& after) {
    DirectorWrites writes{name, {}, {}};
    for (auto const& table : tables)
        if (table.before != table.after)
            writes.marks.push_back(table);
    auto difference = ipvs_difference(before, after);
    writes.services = std::move(difference.grow);
    std::ranges::move(difference.shrink, std::back_inserter(writes.services));
    return writes;
}

/// A director's services, and none where the site lacks it.
std::vector<IpvsService> services_on(Site const& site, std::string const& director) {
    auto const id = site.find_director(director);
    return id ? ipvs_services(make_plan(site, *id)) : std::vector<IpvsService>{};
}

std::vector<DirectorWrites> writes_between(Side const& before, Side const& after) {
    std::vector<std::string> names;
    for (auto const* side : {&after, &before})
        for (auto const& director : side->directors)
            if (std::ranges::find(names, director.name) == names.end())
                names.push_back(director.name);
    static DirectorState const nothing;
    std::vector<DirectorWrites> all;
    for (auto const& name : names) {
        auto const* from = find(before.directors, name);
        auto const* to = find(after.directors, name);
        std::vector<FamilyChange> tables;
        for (auto const family : families) {
            auto const index = static_cast<std::size_t>(family);
            tables.push_back({family, (from == nullptr ? nothing : *from).marks[index],
                              (to == nullptr ? nothing : *to).marks[index]});
        }
        auto writes = writes_between(name, tables, services_on(*before.site, name), services_on(*after.site, name));
        if (!writes.empty())
            all.push_back(std::move(writes));
    }
    return all;
}

Status finish(DiffReport const& report, Options const& options, Environment const& environment) {
    if (options.format == "json")
        environment.out << diff_json(report);
    else if (options.format == "markdown")
        environment.out << diff_markdown(report, options.rules, comment_limit);
    else
        environment.out << diff_text(report, options.rules, environment.colour_out);
    return options.exit_code && !report.empty() ? Status::differs : Status::done;
}

Status fail(Environment const& environment, std::string_view message) {
    print_failure(environment, message);
    return Status::bad_input;
}

Status diff_sites(Options const& options, Environment const& environment) {
    auto old_options = options.site;
    old_options.file = options.old_file;
    auto const before = read_site(old_options, environment);
    auto const after = read_site(options.site, environment);
    if (!before->good())
        print_messages(*before, old_options, environment);
    print_messages(*after, options.site, environment);
    if (!before->good() || !after->good())
        return Status::bad_input;
    auto const& name = options.site.director;
    if (!name.empty() && !before->site.find_director(name) && !after->site.find_director(name))
        return fail(environment, choose_director(after->site, name, environment.host).error());
    Side const from{states_of(before->site, layout_linear), &before->site};
    Side const to{states_of(after->site, layout_linear), &after->site};
    DiffReport report{options.old_file, options.site.file, compare(from, to), {}, writes_between(from, to)};
    report.rollout = plan_rollout(from, to, report.difference);
    if (!name.empty()) {
        report.difference.keep_only(name);
        std::erase_if(report.writes, [&](DirectorWrites const& writes) { return writes.director != name; });
    }
    return finish(report, options, environment);
}

/// What marks lead to in a kernel whose IPVS is left alone, and that the site does not name. The guard's mark, which
/// rules ask for, leads nowhere.
std::vector<NamedService> unnamed_services(KernelView const& view, DirectorState const& wanted) {
    std::vector<NamedService> services;
    for (auto const& table : view.tables) {
        auto const set = marks_of(table.before);
        std::set<Fwmark> marks(set.begin(), set.end());
        for (auto const& chain : table.before.chains)
            for (auto const& rule : chain.rules)
                if (rule.when.mark)
                    marks.erase(*rule.when.mark);
        for (auto const mark : marks) {
            if (wanted.find({mark, table.family}) != nullptr)
                continue;
            auto& added = services.emplace_back();
            added.name = "fwmark " + mark.str();
            added.service.mark = mark;
            added.service.family = table.family;
            added.service.service = std::numeric_limits<std::size_t>::max(); // behind the site's
        }
    }
    return services;
}

/// As if the kernel had just what the site wants there.
void leave_out(std::string_view what, KernelView& view, DirectorState& now, DirectorState& wanted,
               std::vector<IpvsService> const& services) {
    if (what == "marks") {
        now.marks = wanted.marks;
        for (auto& table : view.tables)
            table.before = table.after;
    } else if (what == "ipvs") {
        std::ranges::move(unnamed_services(view, wanted), std::back_inserter(wanted.services));
        std::ranges::sort(wanted.services, {}, &NamedService::key);
        now.services = wanted.services;
        view.services = services;
    }
}

Status diff_kernel(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    auto const& site = input->site;
    auto const director = choose_director(site, options.site.director, environment.host);
    if (!director)
        return fail(environment, director.error());
    auto const plan = make_plan(site, *director);
    auto const kernel = environment.kernel();
    auto view = read_kernel(site, plan, *kernel, options.only != "marks");
    if (!view) {
        print_failure(environment, view.error().message);
        return Status::refused;
    }
    auto wanted = state_of(site, *director, layout_linear);
    auto const services = ipvs_services(plan);
    auto now = state_of(*view, site, plan, wanted);
    if (!options.only.empty())
        leave_out(options.only == "marks" ? "ipvs" : "marks", *view, now, wanted, services);
    DiffReport report{
        "the kernel of " + wanted.name, options.site.file, compare({{now}, nullptr}, {{wanted}, nullptr}), {}, {}};
    auto writes = writes_between(wanted.name, view->tables, view->services, services);
    if (!writes.empty())
        report.writes.push_back(std::move(writes));
    return finish(report, options, environment);
}

} // namespace

Command add_diff(CLI::App& subcommand) {
    auto options = std::make_shared<Options>();
    auto files = std::make_shared<std::vector<std::string>>();
    subcommand
        .add_option("FILES", *files,
                    "OLD and NEW, two site files; with one FILE, from this director's kernel to the file")
        ->required()
        ->expected(1, 2)
        ->check(not_empty)
        ->option_text("[OLD] FILE");
    options->site.add_options_to(subcommand, true);
    subcommand.get_option("--director")
        ->description("one director; by default all, and with one FILE the one that this machine is");
    subcommand.add_option("--format", options->format, "text; markdown: for a comment on a change; json")
        ->check(CLI::IsMember({"text", "markdown", "json"}))
        ->option_text("text|markdown|json");
    subcommand.add_flag("--rules", options->rules, "print the rules and writes behind it, too");
    subcommand.add_flag("--exit-code", options->exit_code, "exit with 1 where anything differs");
    subcommand.add_option("--only", options->only, "with one FILE: the mangle tables alone, or IPVS alone")
        ->check(CLI::IsMember({"marks", "ipvs"}))
        ->option_text("marks|ipvs");
    subcommand.final_callback([options, files] {
        if (files->size() == 2 && !options->only.empty())
            throw CLI::ValidationError("--only", "is for a comparison with the kernel");
        options->site.file = files->back();
        options->old_file = files->size() == 2 ? files->front() : "";
    });
    return [options](Environment const& environment) {
        return options->old_file.empty() ? diff_kernel(*options, environment) : diff_sites(*options, environment);
    };
}

} // namespace lbc
