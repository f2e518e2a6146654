#include "backends/apply.hpp"
#include "backends/ipvs/ipvs_plan.hpp"
#include "cli/commands.hpp"
#include "cli/site_input.hpp"
#include "cli/status_view.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string format = "text";
};

/// What the kernel holds; of services, those that the site or the record makes lbc's.
std::expected<StatusView, SystemError> look(Site const& site, DirectorId director, Kernel& kernel) {
    auto const plan = make_plan(site, director);
    auto record = kernel.read_record();
    if (!record)
        return std::unexpected(std::move(record.error()));
    auto const tables = compare_marks(kernel, mark_rules(site, plan));
    if (!tables)
        return std::unexpected(tables.error());
    auto marks = record->marks;
    for (auto const& table : *tables)
        std::ranges::copy(marks_of(table.before), std::inserter(marks, marks.end()));
    marks.erase(site.guard_mark);
    for (auto const& service : plan.services)
        marks.insert(service.mark);
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    auto const services =
        (*ipvs)->read([&](IpvsKey key) { return site.marks.contains(key.mark) || marks.contains(key.mark); });
    if (!services)
        return std::unexpected(services.error());
    auto view = compare_status(site, plan, *services);
    view.marks = compare_status(*tables);
    auto daemons = (*ipvs)->daemons();
    if (!daemons)
        return std::unexpected(std::move(daemons.error()));
    view.daemons = std::move(*daemons);
    auto const backup_only = (*ipvs)->backup_only();
    if (!backup_only)
        return std::unexpected(backup_only.error());
    view.backup_only = *backup_only;
    auto const wanted = site.ipvs == IpvsOwner::keepalived ? std::vector<SyncDaemon>{} : sync_daemons(site);
    bool const ours = !wanted.empty() || record->sync;
    view.settings_differ =
        (ours && !std::ranges::equal(wanted, view.daemons, [](auto const& a, auto const& b) { return a.is_met_by(b); })) ||
        ((plan.backup_only || record->backup_only) && plan.backup_only != view.backup_only);
    return view;
}

Status run_status(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    if (!input->good()) {
        print_messages(*input, options.site, environment);
        return Status::bad_input;
    }
    auto const director = choose_director(input->site, options.site.director, environment.host);
    if (!director) {
        print_failure(environment, director.error());
        return Status::bad_input;
    }
    auto const kernel = environment.kernel();
    auto const view = look(input->site, *director, *kernel);
    if (!view) {
        print_failure(environment, view.error().message);
        return Status::refused;
    }
    if (options.format == "json")
        environment.out << status_json(*view);
    else if (options.format == "prometheus")
        environment.out << status_prometheus(*view);
    else
        environment.out << status_text(*view, environment.colour_out);
    return Status::done;
}

} // namespace

Command add_status(CLI::App& subcommand) {
    auto options = std::make_shared<Options>();
    options->site.add_to(subcommand, true);
    subcommand.add_option("--format", options->format, "text: a table; json; prometheus: its text exposition format")
        ->check(CLI::IsMember({"text", "json", "prometheus"}))
        ->option_text("text|json|prometheus");
    return [options](Environment const& environment) { return run_status(*options, environment); };
}

} // namespace lbc
