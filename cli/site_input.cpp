#include "cli/site_input.hpp"

#include "backends/machine/compare_machine.hpp"
#include "cli/git_files.hpp"
#include "cli/message_json.hpp"
#include "compiler/resolve.hpp"
#include "grammar/spell.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <system_error>

namespace lbc {
namespace {

/// More messages than this are for programs.
constexpr std::size_t most_shown = 200;

std::vector<std::string_view> director_names(Site const& site) {
    std::vector<std::string_view> names;
    for (auto const& director : site.directors)
        names.push_back(director.name.value);
    return names;
}

} // namespace

std::string not_empty(std::string const& text) { return text.empty() ? "an empty value says nothing" : ""; }

void add_format_to(CLI::App& subcommand, bool& json) {
    auto* format = subcommand
                       .add_option_function<std::string>(
                           "--format", [&json](std::string const& name) { json = name == "json"; }, "text, or json")
                       ->check(CLI::IsMember({"text", "json"}))
                       ->option_text("text|json");
    subcommand.add_flag("--json", json, "the same as --format json")->excludes(format);
}

void SiteOptions::add_to(CLI::App& subcommand, bool with_director) {
    subcommand.add_option("FILE", file, "the site file; - is standard input; REV:PATH a file of a git revision")
        ->required()
        ->check(not_empty);
    add_options_to(subcommand, with_director);
}

void SiteOptions::add_options_to(CLI::App& subcommand, bool with_director) {
    if (with_director)
        subcommand.add_option("-d,--director", director, "the director; by default the one that this machine is")
            ->check(not_empty)
            ->option_text("NAME");
    subcommand
        .add_option("--include-from", include_from,
                    "a folder beside the site's own that `include` may read files of; again for further ones")
        ->check(not_empty)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->option_text("DIR");
    subcommand
        .add_option_function<std::string>(
            "--message-format", [this](std::string const& format) { json_messages = format == "json"; },
            "how messages are printed: text, or json, one object a line")
        ->check(CLI::IsMember({"text", "json"}))
        ->option_text("text|json");
}

void SiteOptions::add_layout_to(CLI::App& subcommand) {
    std::vector<std::string> names;
    for (auto const& one : layouts)
        names.emplace_back(one.name);
    subcommand
        .add_option_function<std::string>(
            "--layout",
            [this](std::string const& name) { layout = std::ranges::find(layouts, name, &NamedLayout::name)->layout; },
            "how rules are arranged; auto takes the one that costs a packet least")
        ->check(CLI::IsMember(names))
        ->option_text(fmt::format("{}", fmt::join(names, "|")));
}

std::unique_ptr<SiteInput> read_site(SiteOptions const& options, Environment const& environment) {
    auto input = std::make_unique<SiteInput>();
    input->layout = options.layout;
    auto const revision = parse_revision_path(options.file).transform(open_revision);
    if (!revision) {
        input->site =
            compile(options.file, environment.files, input->sources, input->diagnostics, options.include_from);
    } else if (*revision) {
        input->site = compile((*revision)->name, *(*revision)->files, input->sources, input->diagnostics);
    } else {
        Span const place{input->sources.add(options.file, {}), 0, 0};
        std::error_code error;
        bool const is_file = std::filesystem::exists(std::filesystem::symlink_status(options.file, error));
        input->diagnostics.report(DiagId::cannot_read, place, "cannot read `{}`: {}{}", options.file, revision->error(),
                                  is_file ? fmt::format("; the file of this name is `./{}`", options.file) : "");
    }
    return input;
}

void print_messages(SiteInput const& input, SiteOptions const& options, Environment const& environment) {
    std::string text;
    auto const all = input.diagnostics.gathered();
    auto const shown = std::min(all.size(), options.json_messages ? all.size() : most_shown);
    for (auto const& gathered : std::span(all).first(shown))
        text += options.json_messages ? message_json(input.sources, gathered)
                                      : render(input.sources, gathered, {.colour = environment.colour_err});
    auto more = input.diagnostics.omitted();
    for (auto const& gathered : std::span(all).subspan(shown))
        more += 1 + gathered.more.size();
    if (more > 0 && !options.json_messages)
        text += fmt::format("… and {} more\n", more);
    if (!options.json_messages && !text.empty())
        text +=
            fmt::format("{}, {}{}\n", counted(input.diagnostics.errors(), "error"),
                        counted(input.diagnostics.warnings(), "warning"), input.good() ? "" : "; nothing was written");
    environment.err << text;
}

std::expected<DirectorId, std::string> choose_director(Site const& site, std::string const& name, Host const& host) {
    auto const names = director_names(site);
    if (names.empty())
        return std::unexpected("the site has no director");
    if (!name.empty()) {
        if (auto const id = site.find_director(name))
            return *id;
        return std::unexpected(fmt::format("`{}` is no director of this site{}; it has: {}", name,
                                           did_you_mean(name, names), fmt::join(names, ", ")));
    }
    auto const host_name = host.name();
    auto const interfaces = host.interfaces();
    if (auto const id = find_director(site, host_name, interfaces ? *interfaces : std::vector<Interface>{}))
        return *id;
    return std::unexpected(fmt::format("this machine is no director of the site, by host name `{}` or by MAC; name one "
                                       "with -d: {}",
                                       host_name, fmt::join(names, ", ")));
}

void print_notes(Environment const& environment, std::vector<std::string> const& notes) {
    for (auto const& note : notes)
        print_failure(environment, "note: " + note);
}

void print_failure(Environment const& environment, std::string_view message) {
    // What other programs say has lines; none of them is to look like one of lbc's own.
    auto text = printable_lines(message);
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
        text.insert(at + 1, "  ");
    environment.err << fmt::format("lbc: {}\n", text);
}

Status fail(Status status, std::string_view message, Environment const& environment) {
    print_failure(environment, message);
    return status;
}

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

} // namespace lbc
