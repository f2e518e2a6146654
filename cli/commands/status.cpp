#include "backends/apply/observe.hpp"
#include "backends/apply/self_check.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/status_view.hpp"

#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string format = "text";
    std::string only;
    std::string keepalived_config = "/etc/keepalived/keepalived.conf";

    [[nodiscard]] bool ipvs() const { return only != "marks"; }
};

/// Adds services, daemons and settings to a view that has the marks.
std::expected<void, SystemError> look_at_ipvs(Site const& site, Plan const& plan, KernelView const& found,
                                              Kernel& kernel, StatusView& view) {
    auto settings = read_settings(site, plan, found, kernel);
    if (!settings)
        return std::unexpected(std::move(settings.error()));
    view.daemons = std::move(settings->daemons);
    view.daemons_differ = settings->daemons_differ;
    view.settings = std::move(settings->settings);
    auto const addresses = found.ipvs->addresses();
    if (!addresses)
        return std::unexpected(addresses.error());
    view.around.conflicts = address_conflicts(site, plan, *addresses);
    return {};
}

std::expected<KeepalivedView, SystemError> look_at_keepalived(Site const& site, Plan const& plan,
                                                              std::string const& path, Kernel& kernel) {
    auto const daemon = kernel.open_keepalived(path);
    auto const text = daemon->read();
    if (!text)
        return std::unexpected(text.error());
    auto const change = keepalived_change(path, *text, keepalived_text(site, {&plan, 1}));
    KeepalivedView view{.has_site_file = !change, .unknown = {}};
    auto const runs = daemon->is_running();
    if (runs)
        view.runs = *runs;
    else
        view.unknown = runs.error().message;
    return view;
}

/// Reads the state of the kernel. Of services, only own ones: by the site, the rules or the record.
std::expected<StatusView, SystemError> look(SiteInput const& input, DirectorId director, Options const& options,
                                            Host const& host, Kernel& kernel) {
    auto const& site = input.site;
    auto const plan = make_plan(site, director);
    auto found = read_kernel(site, plan, kernel, options.ipvs());
    if (!found)
        return std::unexpected(std::move(found.error()));
    take_layout_in_force(site, plan, kernel, *found);
    StatusView view;
    if (options.ipvs())
        view.services = compare_services(site, plan, found->services);
    view.director = site[director].name.value;
    view.has_services = options.ipvs();
    view.marks = compare_tables(found->tables, found->nft);
    for (auto& marks : view.marks)
        marks.layout = marks.table == "mangle" ? found->layout : "";
    if (options.ipvs())
        if (auto looked = look_at_ipvs(site, plan, *found, kernel, view); !looked)
            return std::unexpected(std::move(looked.error()));
    if (options.ipvs() && site.ipvs == IpvsOwner::keepalived) {
        auto keepalived = look_at_keepalived(site, plan, options.keepalived_config, kernel);
        if (!keepalived)
            return std::unexpected(std::move(keepalived.error()));
        view.around.keepalived = std::move(*keepalived);
    }
    view.around.is_held_by_keepalived =
        options.ipvs() && site.ipvs == IpvsOwner::lbc && keepalived_holds_services(kernel, options.keepalived_config);
    view.around.machine = check_machine(input, director, host);
    if (auto const interfaces = host.interfaces(); interfaces && !interfaces->empty())
        view.around.vips = vips_here(site, director, *interfaces);
    if (plan.marks.classes.size() <= proved_unasked)
        view.around.marks = check_marks(site, plan, kernel);
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
    auto const view = look(*input, *director, options, environment.host, *kernel);
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

Command add_status(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    add_format_to(command, options->format, {"text", "json", "prometheus"},
                  "text: a table; json; prometheus: its text exposition format");
    command.text("--only", options->only, "IPVS is not asked").one_of({"marks"}).value("marks");
    command
        .text("--keepalived-config", options->keepalived_config,
              "the file that keepalived reads, under `ipvs keepalived`")
        .not_empty()
        .value("PATH [/etc/keepalived/keepalived.conf]");
    return [options](Environment const& environment) { return run_status(*options, environment); };
}

} // namespace lbc
