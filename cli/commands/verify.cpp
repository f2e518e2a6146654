#include "compiler/analysis/verify.hpp"
#include "backends/apply/address_conflicts.hpp"
#include "backends/apply/compare_services.hpp"
#include "backends/apply/observe.hpp"
#include "cli/commands/commands.hpp"
#include "cli/input/read_dump.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/verify_report.hpp"
#include "compiler/layout/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::vector<std::string> against;
    std::string folder;
    std::string only;
    bool ipv6 = false;
    bool json = false;
};

/// Verifies IPVS: services by address that conflict, and marks that lead to no service.
std::expected<void, SystemError> verify_services(Site const& site, Plan const& plan, Kernel& kernel,
                                                 VerifiedDirector& verified) {
    auto const view = read_kernel(site, plan, kernel);
    if (!view)
        return std::unexpected(view.error());
    auto const addresses = view->ipvs->addresses();
    if (!addresses)
        return std::unexpected(addresses.error());
    verified.conflicts = address_conflicts(site, plan, *addresses);
    for (auto const& service : compare_services(site, plan, view->services))
        if (service.presence == Presence::missing)
            verified.missing.push_back({service.name, service.service.key});
    verified.asks_ipvs = true;
    return {};
}

std::expected<VerifiedDirector, SystemError> verify_kernel(Site const& site, Plan const& plan, Options const& options,
                                                           Kernel& kernel) {
    auto const dump = read_all_rules(kernel);
    if (!dump)
        return std::unexpected(dump.error());
    VerifiedDirector verified{verify_rules(site, plan, *dump)};
    if (options.only != "marks")
        if (auto looked = verify_services(site, plan, kernel, verified); !looked)
            return std::unexpected(std::move(looked.error()));
    return verified;
}

Status finish(VerifyReport const& report, Options const& options, Environment const& environment) {
    environment.out << (options.json ? verify_json(report) : verify_text(report, environment.colour_out));
    return report.holds() ? Status::done : Status::differs;
}

/// Verifies all directors with the dumps of a folder.
Status verify_folder(Site const& site, Options const& options, Environment const& environment) {
    VerifyReport report{&site, {}, true, {}};
    auto const states = states_of(site, layout_linear);
    Work work;
    auto rules = rules_of(states, work);
    std::vector<FamilyRules> dumps(states.size()); // the rules refer to them
    DumpReader reader(environment.files);
    for (std::size_t i = 0; i < states.size(); ++i) {
        auto dump = reader.read_folder(options.folder, states[i].name);
        if (!dump)
            return fail(Status::bad_input, dump.error(), environment);
        dumps[i] = std::move(*dump);
        report.directors.push_back({verify_rules(site, make_plan(site, {i}), dumps[i])});
        if (auto const& unasked = report.directors.back().unasked; !unasked.empty())
            return fail(Status::bad_input,
                        fmt::format("`{}` has no {} rules of `{}`, which has services of that family", options.folder,
                                    title(unasked.front()), states[i].name),
                        environment);
        for (std::size_t family = 0; family < families.size(); ++family)
            if (dumps[i][family])
                rules[i].rules[family] = std::make_shared<RuleIndex const>(*dumps[i][family], &work);
    }
    print_notes(environment, reader.notes());
    report.loops = find_loops(rules, work);
    report.loops_given_up = work.is_spent();
    return finish(report, options, environment);
}

Status verify_site(Options const& options, Environment const& environment) {
    bool const is_of_files = !options.folder.empty() || !options.against.empty();
    environment.keep(is_of_files ? Rights::read_files : Rights::read_kernel);
    auto const input = read_site(options.site, environment);
    if (!input->good()) {
        print_messages(*input, options.site, environment);
        return Status::bad_input;
    }
    if (!options.folder.empty())
        return verify_folder(input->site, options, environment);
    auto const director = choose_director(input->site, options.site.director, environment.host);
    if (!director)
        return fail(Status::bad_input, director.error(), environment);
    auto const plan = make_plan(input->site, *director);
    VerifyReport report{&input->site, {}, false, {}};
    if (options.against.empty()) {
        auto const kernel = environment.kernel();
        auto verified = verify_kernel(input->site, plan, options, *kernel);
        if (!verified)
            return fail(Status::refused, verified.error().message, environment);
        verified->machine = check_machine(*input, *director, environment.host);
        report.directors.push_back(std::move(*verified));
        return finish(report, options, environment);
    }
    FamilyRules dump;
    DumpReader reader(environment.files);
    for (auto const& path : options.against) {
        auto const family = options.ipv6 ? std::optional(Family::ipv6) : std::nullopt;
        if (auto const added = reader.add(dump, path, family, input->site[*director].name.value); !added)
            return fail(Status::bad_input, added.error(), environment);
    }
    print_notes(environment, reader.notes());
    report.directors.push_back({verify_rules(input->site, plan, dump)});
    return finish(report, options, environment);
}

} // namespace

Command add_verify(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    auto const against =
        command
            .repeated("--against", options->against,
                      "rules in place of this machine's: what iptables-save or ip6tables-save printed, "
                      "or rules.sh; again for the other family; or what `nft -j list ruleset` printed")
            .not_empty()
            .value("DUMP");
    command.flag("-6", options->ipv6, "DUMP is of ip6tables-save, where the text does not tell").needs(against);
    auto const folder = command
                            .text("--site", options->folder,
                                  "rules of all directors, each DIR/NAME/iptables.rules and ip6tables.rules, or "
                                  "nft.json; asks for loops too")
                            .not_empty()
                            .excludes(against)
                            .excludes(command.at("--director"))
                            .value("DIR");
    command.text("--only", options->only, "IPVS is not asked")
        .excludes(against)
        .excludes(folder)
        .one_of({"marks"})
        .value("marks");
    add_format_to(command, options->json);
    command.finally([options]() -> std::optional<UsageError> {
        if (std::ranges::count(options->against, "-") + (options->site.file == "-" ? 1 : 0) > 1)
            return UsageError{"--against", "standard input can be one of the files, not more"};
        return std::nullopt;
    });
    return [options](Environment const& environment) { return verify_site(*options, environment); };
}

} // namespace lbc
