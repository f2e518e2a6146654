#include "backends/apply/ipvs_plan.hpp"
#include "backends/apply/observe.hpp"
#include "backends/keepalived/configured_commands.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/keepalived/vrrp_differences.hpp"
#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/diff_beside.hpp"
#include "cli/report/diff_output.hpp"
#include "compiler/layout/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <ostream>

namespace lbc {
namespace {

/// GitHub takes comments of up to 65,536 characters; GitLab takes more.
constexpr std::size_t comment_limit = 65'000;

struct Options {
    SiteOptions site; // of the new side
    std::string old_file;
    std::string format = "text";
    std::string only;
    std::string keepalived_config;
    bool rules = false;
    bool exit_code = false;
};

bool is_keepalived(Site const& site) { return site.ipvs == IpvsOwner::keepalived; }

/// The writes that bring a director from one state to another, as `apply` or keepalived would make them.
DirectorWrites writes_between(std::string const& name, std::vector<FamilyChange> const& tables,
                              std::vector<IpvsService> const& before, std::vector<IpvsService> const& after) {
    DirectorWrites writes{name, {}, {}, {}, {}};
    for (auto const& table : tables)
        if (table.before != table.after)
            writes.marks.push_back(table);
    auto difference = ipvs_difference(before, after);
    writes.services = std::move(difference.grow);
    std::ranges::move(difference.shrink, std::back_inserter(writes.services));
    return writes;
}

/// A director's services; none if the site lacks the director.
std::vector<IpvsService> services_on(Site const& site, std::string const& director) {
    auto const id = site.find_director(director);
    return id ? ipvs_services(make_plan(site, *id)) : std::vector<IpvsService>{};
}

std::vector<DirectorWrites> writes_between(Side const& before, Side const& after) {
    std::vector<DirectorWrites> all;
    for (auto const& [name, from, to] : pair_directors(before, after)) {
        std::vector<FamilyChange> tables;
        for (auto const family : families) {
            auto const index = static_cast<std::size_t>(family);
            tables.push_back({family, from->marks[index], to->marks[index]});
        }
        auto writes =
            writes_between(name, tables, services_on(*before.site, from->name), services_on(*after.site, to->name));
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
    return options.exit_code && !report.difference.empty() ? Status::differs : Status::done;
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
        return fail(Status::bad_input, choose_director(after->site, name, environment.host).error(), environment);
    Side const from{states_of(before->site, before->layout), &before->site, {}, is_keepalived(before->site)};
    Side const to{states_of(after->site, after->layout), &after->site, {}, is_keepalived(after->site)};
    DiffReport report{options.old_file, options.site.file, compare(from, to), {}, {}, {}, writes_between(from, to)};
    report.rollout = plan_rollout(from, to, report.difference);
    if (report.rollout->verdict == Rollout::Verdict::no_order)
        report.remedy = find_remedy(from, to, *report.rollout);
    report.beforehand = beforehand(before->site, after->site);
    if (!name.empty()) {
        report.difference.keep_only(name);
        std::erase_if(report.writes, [&](DirectorWrites const& writes) { return writes.director != name; });
    }
    return finish(report, options, environment);
}

/// The change of keepalived's file. Nothing if the file is already that of the site: then IPVS lacks only what health
/// checks have removed.
std::expected<std::optional<KeepalivedChange>, SystemError>
configuration_change(Site const& site, Plan const& plan, std::string const& path, Kernel& kernel) {
    auto const text = kernel.open_keepalived(path)->read();
    if (!text)
        return std::unexpected(text.error());
    return keepalived_change(path, *text, keepalived_text(site, {&plan, 1}));
}

/// Compares a director's kernel with the state that the site wants.
class KernelComparison {
public:
    KernelComparison(SiteInput const& input, DirectorId director, Options const& options, Kernel& kernel)
        : site_(input.site), layout_(input.layout), plan_(make_plan(site_, director)), options_(options),
          kernel_(kernel), wanted_{states_of(site_, layout_), nullptr, {}, is_keepalived(site_)},
          mine_(wanted_.directors[director.index]) {}

    std::expected<DiffReport, SystemError> run() {
        auto view = read_kernel(site_, plan_, kernel_, options_.only != "marks", layout_);
        if (!view)
            return std::unexpected(std::move(view.error()));
        if (options_.only == "ipvs")
            for (auto& table : view->tables)
                table.before = table.after;
        if (options_.only == "ipvs")
            view->nft.reset();
        auto const services = ipvs_services(plan_);
        auto now = services; // as if the kernel had exactly these
        if (options_.only != "marks") {
            if (auto looked = look_further(*view); !looked)
                return std::unexpected(std::move(looked.error()));
            now = client_services(*view, site_, plan_, mine_, site_.ipvs == IpvsOwner::keepalived && !configuration_);
        }
        auto state = state_of(*view, now, site_, mine_);
        if (options_.only == "marks") {
            for (auto& service : unnamed_services(*view, mine_))
                mine_.services.push_back(std::move(service));
            std::ranges::sort(mine_.services, {}, &NamedService::key);
            state.services = mine_.services;
        }
        Side const kernel_side{{std::move(state)}, nullptr, mine_.name, wanted_.keepalived};
        DiffReport report{
            "the kernel of " + mine_.name, options_.site.file, compare(kernel_side, wanted_), {}, {}, {}, {}};
        std::ranges::move(changes_, std::back_inserter(report.difference.changes));
        if (configuration_)
            report.difference.runs = run_changes(configuration_->before, configuration_->after, mine_.name);
        auto writes = writes_between(mine_.name, view->tables, now, services);
        if (view->nft && !is_same(view->nft->before, view->nft->after))
            writes.nft = std::move(view->nft);
        writes.keepalived = std::move(configuration_);
        if (!writes.empty())
            report.writes.push_back(std::move(writes));
        return report;
    }

private:
    /// Compares what is neither a rule nor a service.
    std::expected<void, SystemError> look_further(KernelView const& view) {
        auto const settings = read_settings(site_, plan_, view, kernel_);
        if (!settings)
            return std::unexpected(settings.error());
        if (settings->daemons_differ)
            add(Change::Kind::sync, "connection sync: the daemons that run are not the site's");
        for (auto const& setting : settings->settings)
            if (setting.differs())
                add(Change::Kind::setting,
                    fmt::format("{} {} to {}", title(setting.sysctl), setting.value, setting.site_value));
        if (site_.ipvs != IpvsOwner::keepalived) {
            if (keepalived_holds_services(kernel_, options_.keepalived_config))
                changes_.push_back({Change::Kind::setting,
                                    "site",
                                    {mine_.name},
                                    std::string(keepalived_holds_them),
                                    "connections of every service break",
                                    true});
            return {};
        }
        auto change = configuration_change(site_, plan_, options_.keepalived_config, kernel_);
        if (!change)
            return std::unexpected(std::move(change.error()));
        configuration_ = std::move(*change);
        if (configuration_)
            add_leaving_services(*configuration_, mine_.name, changes_);
        if (configuration_)
            add_instances(*configuration_);
        if (configuration_)
            add(Change::Kind::checks, "keepalived's configuration is not the site's, so what IPVS lacks may be new, or "
                                      "taken out by a check");
        return {};
    }

    void add_instances(KeepalivedChange const& change) {
        for (auto const& one : vrrp_differences(change.before, change.after))
            changes_.push_back({Change::Kind::vrrp,
                                "vrrp " + one.instance,
                                {mine_.name},
                                one.words(),
                                one.effect.empty() ? "established connections go on" : "connections may break",
                                !one.effect.empty()});
    }

    void add(Change::Kind kind, std::string text) {
        changes_.push_back({kind, "site", {mine_.name}, std::move(text), "established connections go on", false});
    }

    Site const& site_;
    Layout layout_;
    Plan plan_;
    Options const& options_;
    Kernel& kernel_;
    Side wanted_;
    DirectorState& mine_; // of `wanted_`
    std::optional<KeepalivedChange> configuration_;
    std::vector<Change> changes_;
};

Status diff_kernel(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    auto const director = choose_director(input->site, options.site.director, environment.host);
    if (!director)
        return fail(Status::bad_input, director.error(), environment);
    auto const kernel = environment.kernel();
    auto const report = KernelComparison(*input, *director, options, *kernel).run();
    if (!report)
        return fail(Status::refused, report.error().message, environment);
    return finish(*report, options, environment);
}

} // namespace

Command add_diff(CommandOptions command) {
    auto options = std::make_shared<Options>();
    auto files = std::make_shared<std::vector<std::string>>();
    command
        .operands("FILES", *files,
                  "OLD and NEW, two site files; with one FILE, from this director's kernel to the file", 2)
        .not_empty()
        .value("[OLD] FILE");
    options->site.add_options_to(command, true);
    options->site.add_layout_to(command);
    command.at("--director").describe("one director; by default all, and with one FILE the one that this machine is");
    add_format_to(command, options->format, {"text", "markdown", "json"},
                  "text; markdown: for a comment on a change; json");
    command.flag("--rules", options->rules, "print the rules and writes behind it, too");
    command.flag("--exit-code", options->exit_code, "exit with 1 where anything differs");
    command.text("--only", options->only, "with one FILE: the mangle tables alone, or IPVS alone")
        .one_of({"marks", "ipvs"})
        .value("marks|ipvs");
    command
        .text("--keepalived-config", options->keepalived_config,
              "with one FILE, under `ipvs keepalived`: the file that keepalived reads")
        .not_empty()
        .value("PATH [/etc/keepalived/keepalived.conf]");
    command.finally([options, files]() -> std::optional<UsageError> {
        if (files->size() == 2 && files->front() == "-" && files->back() == "-")
            return UsageError{"FILES", "standard input can be one of the two, not both"};
        if (files->size() == 2 && !(options->only.empty() && options->keepalived_config.empty()))
            return UsageError{options->only.empty() ? "--keepalived-config" : "--only",
                              "is for a comparison with the kernel"};
        if (options->keepalived_config.empty())
            options->keepalived_config = "/etc/keepalived/keepalived.conf";
        options->site.file = files->back();
        options->old_file = files->size() == 2 ? files->front() : "";
        return std::nullopt;
    });
    return [options](Environment const& environment) {
        bool const is_of_kernel = options->old_file.empty();
        environment.keep(is_of_kernel ? Rights::read_kernel : Rights::read_files);
        return is_of_kernel ? diff_kernel(*options, environment) : diff_sites(*options, environment);
    };
}

} // namespace lbc
