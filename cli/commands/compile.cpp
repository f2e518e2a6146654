#include "backends/apply/self_check.hpp"
#include "backends/emit/realserver/realserver.hpp"
#include "backends/nft/nft.hpp"
#include "backends/os/write_file.hpp"
#include "cli/commands/commands.hpp"
#include "cli/output/artefacts.hpp"
#include "cli/output/real_hosts.hpp"
#include "cli/report/layout_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <utility>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string emit; // of `kind_names`, once the command line is read
    std::string output;
    MarkTool tool = MarkTool::iptables; // of the script
    bool check = false;                 // the output against the existing files
    bool prove = false;                 // the output against the site
    bool verbose = false;               // the cost of each layout
    std::vector<std::string> reals;     // machines of real servers, by their names

    /// -d names one too: a director that is a real server.
    [[nodiscard]] std::vector<std::string> real_names() const {
        auto names = reals;
        if (!site.director.empty())
            names.push_back(site.director);
        return names;
    }
    [[nodiscard]] bool writes_folder() const { return emit == "all" || emit == "networkd"; }
};

/// With `only_marks`, the plans have no virtual services.
std::vector<Plan> make_plans(Site const& site, std::vector<DirectorId> const& directors, bool only_marks) {
    std::vector<Plan> plans;
    for (auto const id : directors) {
        if (!only_marks) {
            plans.push_back(make_plan(site, id));
            continue;
        }
        auto& plan = plans.emplace_back();
        plan.director = id;
        plan.marks = make_mark_table(site, id);
    }
    return plans;
}

/// Reports what the kind of output cannot represent.
void report_limits_of(Options const& options, SiteInput& input) {
    std::string_view const name = options.emit;
    std::vector<Output> outputs;
    for (auto const& kind : artefact_kinds())
        if (kind.limits && (kind.name == name || name == "all"))
            outputs.push_back(*kind.limits);
    if (is_for_real_servers(name) || name == "all")
        outputs.push_back(Output::realserver);
    if (name == "networkd" || name == "all")
        outputs.push_back(Output::networkd);
    if (name == "nft" || name == "all" || options.tool == MarkTool::nft)
        report_nft_limits(input.site, input.diagnostics);
    for (auto const output : outputs) // duplicates are harmless
        report_unsupported(input.site, output, input.diagnostics);
}

/// Writes the files into the folder of -o, or compares them with it.
Status deliver(Options const& options, Files files, std::set<std::string> for_owner, Environment const& environment) {
    // The folder of one machine may be that of networkd, where no list of lbc belongs.
    auto* const is_listed = options.emit == "all" ? &is_artefact : nullptr;
    auto tree = OutputTree::compare(std::move(files), options.output,
                                    {.is_listed = is_listed, .for_owner = std::move(for_owner)});
    if (!tree)
        return fail(Status::refused, tree.error(), environment);
    if (!options.check) {
        auto const written = tree->write();
        for (auto const& path : tree->removed())
            print_failure(environment, fmt::format("removed {}/{}, which is no longer made", options.output, path));
        return written ? Status::done : fail(Status::refused, written.error(), environment);
    }
    for (auto const& [path, difference] : tree->findings())
        environment.out << path << ": " << to_string(difference) << '\n';
    return tree->findings().empty() ? Status::done : Status::differs;
}

/// The directors to compile: the named one, or all.
std::expected<std::vector<DirectorId>, std::string> choose(Options const& options, Site const& site, Host const& host) {
    std::vector<DirectorId> all;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        all.push_back({i});
    if (all.empty())
        return std::unexpected("the site has no director");
    auto const* kind = find_kind(options.emit);
    bool const for_one = kind != nullptr && kind->for_one;
    if (options.site.director.empty() && (!for_one || all.size() == 1))
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

/// Writes one text to the file of -o, compares it with that, or prints it.
Status deliver(Options const& options, std::string const& text, Environment const& environment,
               Readers readers = Readers::all) {
    auto const& path = options.output;
    if (path.empty() || path == "-") {
        environment.out << text;
        return Status::done;
    }
    if (!options.check) {
        auto const written = write_file(path, text, readers);
        return written ? Status::done : fail(Status::refused, written.error().message, environment);
    }
    auto const difference = compare_file(path, text);
    if (!difference)
        return fail(Status::refused, difference.error(), environment);
    if (!*difference)
        return Status::done;
    environment.out << path << ": " << to_string(**difference) << '\n';
    return Status::differs;
}

Status compile_for_real_servers(Options const& options, Site const& site, Environment const& environment) {
    auto const names = options.real_names();
    auto const hosts = choose_real_hosts(site, names);
    if (!hosts)
        return fail(Status::bad_input, hosts.error(), environment);
    if (options.emit == "realserver")
        return deliver(options, realserver_script(*hosts), environment);
    auto const machine = one_machine(*hosts, names, options.emit);
    if (!machine)
        return fail(Status::bad_input, machine.error(), environment);
    return options.emit == "networkd" ? deliver(options, networkd_files(*machine), {}, environment)
                                      : deliver(options, ifupdown_text(*machine), environment);
}

using Proved = std::expected<void, std::string>;

/// A script that marks with nftables has the rules of `nft`.
std::string_view proved_as(std::string_view kind, MarkTool tool) {
    return kind == "sh" && tool == MarkTool::nft ? "nft" : kind;
}

/// Proves every file that has rules, as it would be written.
Proved prove_all(SiteInput const& input, Plans plans, MarkTool tool, Files const& files) {
    for (auto const& kind : artefact_kinds()) {
        if (auto const script = files.find(std::string(kind.file_of_site)); script != files.end())
            if (auto proved = prove_text(input.site, plans, input.layout, proved_as(kind.name, tool), script->second);
                !proved)
                return proved;
        for (auto const& plan : plans) {
            auto const file =
                files.find(fmt::format("{}/{}", input.site[plan.director].name.value, kind.file_of_director));
            if (file == files.end())
                continue;
            if (auto proved = prove_text(input.site, {&plan, 1}, input.layout, kind.name, file->second); !proved)
                return proved;
        }
    }
    return {};
}

Status compile_site(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    if (input->good())
        report_limits_of(options, *input);
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    if (is_for_real_servers(options.emit))
        return compile_for_real_servers(options, input->site, environment);
    auto const directors = choose(options, input->site, environment.host);
    if (!directors)
        return fail(Status::bad_input, directors.error(), environment);
    auto const* kind = find_kind(options.emit);
    bool const only_marks = kind != nullptr && kind->is_of_marks() && !options.prove;
    auto const plans = make_plans(input->site, *directors, only_marks);
    if (options.verbose)
        environment.err << layout_table(*input, plans);
    if (options.emit == "all") {
        Emission const emission{*input, plans, options.tool};
        auto files = emit_all(emission, options.site.director);
        if (auto const proved = options.prove ? prove_all(*input, plans, options.tool, files) : Proved(); !proved)
            return fail(Status::refused, proved.error(), environment);
        return deliver(options, std::move(files), secret_files(emission), environment);
    }
    auto const text = kind->text({*input, plans, options.tool});
    auto const kind_of_rules = proved_as(options.emit, options.tool);
    if (auto const proved =
            options.prove ? prove_text(input->site, plans, input->layout, kind_of_rules, text) : Proved();
        !proved)
        return fail(Status::refused, proved.error(), environment);
    return deliver(options, text, environment, is_secret(*kind, input->site) ? Readers::owner : Readers::all);
}

/// Completes the options, and refuses combinations that contradict each other.
std::optional<UsageError> finish(Options& options) {
    if (options.emit.empty())
        options.emit = options.check ? "all" : "sh";
    bool const has_place = !options.output.empty() && options.output != "-";
    if (options.writes_folder() && !has_place && !options.check)
        return UsageError{"--emit " + options.emit, "needs the folder to write to: -o FOLDER"};
    if (options.check && !has_place)
        return UsageError{"--check", "needs what to compare with: -o PATH"};
    if (options.tool == MarkTool::nft && options.emit != "sh" && options.emit != "all")
        return UsageError{"--backend", "is for --emit sh, and for the script in `all`"};
    if (!options.reals.empty() && !is_for_real_servers(options.emit))
        return UsageError{"--real", "is for --emit realserver, networkd and ifupdown"};
    return std::nullopt;
}

} // namespace

Command add_compile(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    options->site.writes = true;
    command.at("--director").describe("one director; by default all, where the output can hold them");
    auto const names = kind_names();
    command.text("--emit", options->emit, fmt::format("{}", fmt::join(names, ", "))).one_of(names).value("KIND [sh]");
    command
        .text(
            "--backend",
            [options](std::string const& name) { options->tool = name == "nft" ? MarkTool::nft : MarkTool::iptables; },
            "what the script marks packets with")
        .one_of({"iptables", "nft"})
        .value("iptables|nft [iptables]");
    command
        .repeated("--real", options->reals,
                  "a real server, by its address or director's name; again for further names of one machine")
        .not_empty()
        .value("NAME");
    command
        .text("-o,--output", options->output,
              "a file, or for `all` and `networkd` a folder, in place of standard output")
        .not_empty()
        .value("PATH");
    command.flag("--check", options->check,
                 "write nothing, and print how what -o names differs from `all`, or from KIND; status 1 if so");
    command.flag("--prove", options->prove, "prove first that what is printed marks every packet as the site says");
    options->site.add_layout_to(command);
    command.flag("-v,--verbose", options->verbose, "print what each layout costs, to standard error");
    command.finally([options] { return finish(*options); });
    return [options](Environment const& environment) { return compile_site(*options, environment); };
}

} // namespace lbc
