#include "backends/ipvsadm/ipvsadm.hpp"
#include "backends/json/json.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/limits.hpp"
#include "backends/restore/restore.hpp"
#include "backends/sh/sh.hpp"
#include "backends/write_file.hpp"
#include "cli/commands.hpp"
#include "cli/site_input.hpp"
#include "compiler/layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <map>
#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string emit = "sh";
    std::string output;
};

std::vector<Plan> make_plans(Site const& site, std::vector<DirectorId> const& directors) {
    std::vector<Plan> plans;
    for (auto const id : directors)
        plans.push_back(make_plan(site, id));
    return plans;
}

std::string restore(Site const& site, Plan const& plan, Family family) {
    return restore_text(layout_linear(site, plan.marks, family), {.director = site[plan.director].name.value});
}

/// One kind of output. Those of one director take its plan, those of the site all that were asked for.
std::string emit(std::string_view kind, SiteInput const& input, std::span<Plan const> plans) {
    if (kind == "sh")
        return sh_script(input.site, plans, layout_linear);
    if (kind == "json")
        return json_text(input.site, input.sources, plans);
    if (kind == "keepalived")
        return keepalived_text(input.site, plans);
    if (kind == "ipvsadm")
        return ipvsadm_text(input.site, plans.front());
    return restore(input.site, plans.front(), kind == "iptables" ? Family::ipv4 : Family::ipv6);
}

bool is_for_one_director(std::string_view kind) {
    return kind == "iptables" || kind == "ip6tables" || kind == "ipvsadm";
}

/// What the kind cannot hold. The site's JSON holds everything.
void report_limits_of(std::string_view kind, SiteInput& input) {
    auto const is_marks = kind == "iptables" || kind == "ip6tables";
    if (kind == "sh" || kind == "all")
        report_limits(input.site, Output::sh, input.diagnostics);
    if (is_marks || kind == "all")
        report_limits(input.site, Output::marks, input.diagnostics);
    if (kind == "ipvsadm" || kind == "all")
        report_limits(input.site, Output::ipvsadm, input.diagnostics);
    if (kind == "keepalived" || kind == "all")
        report_limits(input.site, Output::keepalived, input.diagnostics);
}

/// Every artefact, by its path below the folder.
std::map<std::string, std::string> emit_all(SiteInput const& input, std::span<Plan const> plans) {
    std::map<std::string, std::string> files;
    files["rules.sh"] = emit("sh", input, plans);
    files["site.json"] = emit("json", input, plans);
    for (auto const& plan : plans) {
        auto const folder = input.site[plan.director].name.value + "/";
        files[folder + "iptables.rules"] = emit("iptables", input, {&plan, 1});
        files[folder + "ip6tables.rules"] = emit("ip6tables", input, {&plan, 1});
        files[folder + "ipvsadm.rules"] = emit("ipvsadm", input, {&plan, 1});
        if (needs_keepalived(input.site, plan.director))
            files[folder + "keepalived.conf"] = emit("keepalived", input, {&plan, 1});
    }
    return files;
}

Status write_all(SiteInput const& input, std::span<Plan const> plans, std::string const& folder,
                 Environment const& environment) {
    for (auto const& [name, text] : emit_all(input, plans)) {
        auto const path = std::filesystem::path(folder) / name;
        std::error_code error;
        std::filesystem::create_directories(path.parent_path(), error);
        if (error) {
            print_failure(environment,
                          fmt::format("cannot make `{}`: {}", path.parent_path().string(), error.message()));
            return Status::refused;
        }
        if (auto const written = write_file(path.string(), text); !written) {
            print_failure(environment, written.error());
            return Status::refused;
        }
    }
    return Status::done;
}

/// The directors to speak of: the named one, or all.
std::expected<std::vector<DirectorId>, std::string> choose(Options const& options, Site const& site, Host const& host) {
    std::vector<DirectorId> all;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        all.push_back({i});
    if (all.empty())
        return std::unexpected("the site has no director");
    if (options.site.director.empty() && (!is_for_one_director(options.emit) || all.size() == 1))
        return all;
    if (options.site.director.empty()) {
        std::vector<std::string_view> names;
        for (auto const& director : site.directors)
            names.push_back(director.name.value);
        return std::unexpected(
            fmt::format("`--emit {}` is for one director; name it with -d: {}", options.emit, fmt::join(names, ", ")));
    }
    auto const id = choose_director(site, options.site.director, host);
    if (!id)
        return std::unexpected(id.error());
    return std::vector{*id};
}

Status compile_site(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    if (input->good())
        report_limits_of(options.emit, *input);
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    auto const directors = choose(options, input->site, environment.host);
    if (!directors) {
        print_failure(environment, directors.error());
        return Status::bad_input;
    }
    auto const plans = make_plans(input->site, *directors);
    if (options.emit == "all")
        return write_all(*input, plans, options.output, environment);
    auto const text = emit(options.emit, *input, plans);
    if (options.output.empty() || options.output == "-") {
        environment.out << text;
        return Status::done;
    }
    auto const written = write_file(options.output, text);
    if (!written)
        print_failure(environment, written.error());
    return written ? Status::done : Status::refused;
}

} // namespace

Command add_compile(CLI::App& subcommand) {
    auto options = std::make_shared<Options>();
    options->site.add_to(subcommand, true);
    subcommand.get_option("--director")->description("one director; by default all, where the output can hold them");
    subcommand.add_option("--emit", options->emit, "sh, iptables, ip6tables, ipvsadm, keepalived, json, or all")
        ->check(CLI::IsMember({"sh", "iptables", "ip6tables", "ipvsadm", "keepalived", "json", "all"}))
        ->option_text("KIND [sh]");
    subcommand.add_option("-o,--output", options->output, "a file, or for `all` a folder, in place of standard output")
        ->check(not_empty)
        ->option_text("PATH");
    subcommand.final_callback([options] {
        if (options->emit == "all" && (options->output.empty() || options->output == "-"))
            throw CLI::ValidationError("--emit all", "needs the folder to write to: -o FOLDER");
    });
    return [options](Environment const& environment) { return compile_site(*options, environment); };
}

} // namespace lbc
