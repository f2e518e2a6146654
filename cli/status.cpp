#include "cli/commands.hpp"
#include "cli/kernel_view.hpp"
#include "cli/site_input.hpp"
#include "cli/status_view.hpp"

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
    auto const found = read_kernel(site, plan, kernel);
    if (!found)
        return std::unexpected(found.error());
    auto view = compare_status(site, plan, found->services);
    view.marks = compare_status(found->tables, found->nft);
    auto settings = read_settings(site, plan, *found, kernel);
    if (!settings)
        return std::unexpected(std::move(settings.error()));
    view.daemons = std::move(settings->daemons);
    view.daemons_differ = settings->daemons_differ;
    view.settings = std::move(settings->settings);
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
