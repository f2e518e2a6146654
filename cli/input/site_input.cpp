#include "cli/input/site_input.hpp"

#include "backends/observe/compare_machine.hpp"
#include "cli/input/git_files.hpp"
#include "cli/input/message_json.hpp"
#include "compiler/site/resolve.hpp"
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

namespace {

void add_format(CommandOptions command, std::function<void(std::string const&)> const& use,
                std::vector<std::string> words, std::string const& help) {
    auto const text = fmt::format("{}", fmt::join(words, "|"));
    auto const format = command.text("--format", use, help).one_of(std::move(words)).value(text);
    command.flag("--json", [use] { use("json"); }, "the same as --format json").excludes(format);
}

} // namespace

void add_format_to(CommandOptions command, std::string& format, std::vector<std::string> words,
                   std::string const& help) {
    add_format(command, [&format](std::string const& word) { format = word; }, std::move(words), help);
}

void add_format_to(CommandOptions command, bool& json) {
    add_format(command, [&json](std::string const& word) { json = word == "json"; }, {"text", "json"}, "text, or json");
}

void SiteOptions::add_to(CommandOptions command, bool with_director) {
    command.text("FILE", file, "the site file; - is standard input; REV:PATH a file of a git revision")
        .required()
        .not_empty();
    add_options_to(command, with_director);
}

void SiteOptions::add_options_to(CommandOptions command, bool with_director) {
    if (with_director)
        command.text("-d,--director", director, "the director; by default the one that this machine is")
            .not_empty()
            .value("NAME");
    command
        .repeated("--include-from", include_from,
                  "a folder beside the site's own that `include` may read files of; again for further ones")
        .not_empty()
        .value("DIR");
    command
        .text(
            "--message-format", [this](std::string const& format) { json_messages = format == "json"; },
            "how messages are printed: text, or json, one object a line")
        .one_of({"text", "json"})
        .value("text|json");
}

void SiteOptions::add_layout_to(CommandOptions command) {
    std::vector<std::string> names;
    for (auto const& one : layouts)
        names.emplace_back(one.name);
    auto const text = fmt::format("{} [auto]", fmt::join(names, "|"));
    command
        .text(
            "--layout",
            [this](std::string const& name) { layout = std::ranges::find(layouts, name, &NamedLayout::name)->layout; },
            "how rules are arranged; auto takes the one that costs a packet least")
        .one_of(std::move(names))
        .value(text);
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
    TextStyle style{.colour = environment.colour_err};
    style.width = environment.width_err.value_or(style.width);
    auto const shown = std::min(all.size(), options.json_messages ? all.size() : most_shown);
    for (auto const& gathered : std::span(all).first(shown))
        text += options.json_messages ? message_json(input.sources, gathered) : render(input.sources, gathered, style);
    auto more = input.diagnostics.omitted();
    for (auto const& gathered : std::span(all).subspan(shown))
        more += 1 + gathered.more.size();
    if (more > 0 && !options.json_messages)
        text += fmt::format("… and {} more\n", more);
    if (!options.json_messages && !text.empty())
        text += fmt::format("{}, {}{}\n", counted(input.diagnostics.errors(), "error"),
                            counted(input.diagnostics.warnings(), "warning"),
                            options.writes && !input.good() ? "; nothing was written" : "");
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
    // Messages of other programs have several lines; none may look like a message of lbc.
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
