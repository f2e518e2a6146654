#include "cli/commands.hpp"
#include "cli/site_input.hpp"
#include "cli/status_view.hpp"

#include <algorithm>
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
    auto marks = std::move(record->marks);
    for (auto const& service : plan.services)
        marks.insert(service.mark);
    auto ipvs = kernel.open_ipvs();
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    auto const services =
        (*ipvs)->read([&](IpvsKey key) { return site.marks.contains(key.mark) || marks.contains(key.mark); });
    if (!services)
        return std::unexpected(services.error());
    auto view = compare_status(site, plan, *services, site.ipvs == IpvsOwner::keepalived);
    auto daemons = (*ipvs)->daemons();
    if (!daemons)
        return std::unexpected(std::move(daemons.error()));
    view.daemons = std::move(*daemons);
    auto const backup_only = (*ipvs)->backup_only();
    if (!backup_only)
        return std::unexpected(backup_only.error());
    view.backup_only = *backup_only;
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
