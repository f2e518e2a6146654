#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "compiler/site/commands.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

std::string counts(SiteInput const& input, std::string const& file) {
    std::size_t reals = 0;
    for (auto const& service : input.site.services)
        reals += service.reals.size();
    return fmt::format("{}: directors {}, services {}, real servers {}, vrrp {}, errors {}, warnings {}\n", file,
                       input.site.directors.size(), input.site.services.size(), reals, input.site.vrrps.size(),
                       input.diagnostics.errors(), input.diagnostics.warnings());
}

/// Each site without an error has the proof, except if IPVS remembers connections without a guard.
bool proves_no_loop(SiteInput const& input) {
    return input.good() && std::ranges::none_of(input.diagnostics.sorted(), [](Diagnostic const& diagnostic) {
               return diagnostic.id == DiagId::stale_loop;
           });
}

/// "runs as root: lb1, lb2: service web, notify-up of real server 10.0.0.1: `/usr/local/bin/up web`"
std::string command_lines(Site const& site) {
    std::string text;
    for (auto const& command : commands_of(site)) {
        std::vector<std::string_view> directors;
        for (auto const director : command.directors)
            directors.push_back(site[director].name.value);
        std::vector<std::string> reals;
        for (auto const& [address, port] : command.reals)
            reals.push_back(port == Port{} ? address.str() : endpoint(address, port));
        if (!directors.empty())
            text += printable(fmt::format("{} as {}: {}: {}, {}: `{}`", verb_of(command.kind), command.user,
                                          fmt::join(directors, ", "), command.subject, place_of(command.kind, reals),
                                          command.text)) +
                    '\n';
    }
    return text;
}

/// Refuses commands, also those that nothing runs yet: the next change may add what runs them.
void refuse_commands(SiteInput& input) {
    for (auto const& command : commands_of(input.site)) {
        if (command.is_own_file())
            continue;
        input.diagnostics.report(DiagId::command_not_allowed, command.span,
                                 "a director {} `{}` as {}; leave it out, or have it added by someone who may run "
                                 "programs on directors",
                                 verb_of(command.kind), command.text, command.user);
    }
}

} // namespace

Command add_check(CommandOptions command) {
    struct Options {
        SiteOptions site;
        bool verbose = false;
        bool no_commands = false;
    };
    auto options = std::make_shared<Options>();
    options->site.add_to(command, false);
    command.flag("-v,--verbose", options->verbose, "print a line of counts, what directors run, and what is proved");
    command.flag("--no-commands", options->no_commands,
                 "refuse what has directors run a command, for a site from somebody who may not");
    return [options](Environment const& environment) {
        auto const input = read_site(options->site, environment);
        if (options->no_commands)
            refuse_commands(*input);
        print_messages(*input, options->site, environment);
        if (options->verbose) {
            environment.out << counts(*input, options->site.file) << command_lines(input->site);
            if (proves_no_loop(*input))
                environment.out << "proved: no packet is balanced twice\n";
        }
        return input->good() ? Status::done : Status::bad_input;
    };
}

} // namespace lbc
