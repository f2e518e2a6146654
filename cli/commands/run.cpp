#include "cli/commands/run.hpp"

#include "cli/commands/commands.hpp"
#include "cli/input/site_input.hpp"
#include "cli/program/version.hpp"
#include "cli/report/clean_stream.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <ostream>
#include <utility>

namespace lbc {
namespace {

struct NamedCommand {
    CommandHelp help;
    Command (*add)(CommandOptions);
    std::optional<Rights> rights; // that it needs; none: it decides by its options
};

bool changes_kernel(NamedCommand const& command) {
    return command.rights == Rights::change_kernel || command.rights == Rights::connect;
}

std::vector<NamedCommand> const& named_commands() {
    using enum Rights;
    using enum Status;
    static std::vector<NamedCommand> const commands{
        {{"check",
          "read a site file and report every mistake in it",
          "Read",
          "lbc check site.lb",
          {done, bad_input, refused}},
         add_check,
         read_files},
        {{"diff",
          "print what a change of the file does to traffic, or what differs from this box",
          "Read",
          "lbc diff HEAD:site.lb site.lb",
          {done, differs, bad_input, refused}},
         add_diff,
         std::nullopt},
        {{"trace",
          "follow one packet through the rules, from director to director",
          "Read",
          "lbc trace site.lb -d lb1 --to 192.0.2.1:80",
          {done, bad_input, refused}},
         add_trace,
         std::nullopt},
        {{"verify",
          "prove that the rules mark every packet as the file says",
          "Read",
          "sudo lbc verify /etc/lbc/site.lb",
          {done, differs, bad_input, refused}},
         add_verify,
         std::nullopt},
        {{"status",
          "print services, real servers, connections and rates beside the file",
          "Read",
          "sudo lbc status /etc/lbc/site.lb",
          {done, bad_input, refused}},
         add_status,
         read_box},
        {{"explain",
          "explain a message and its way out",
          "Read",
          "lbc explain mark-collision",
          {done, bad_input, refused}},
         add_explain,
         read_files},
        {{"apply",
          "make this director what the file says",
          "Change",
          "sudo lbc apply /etc/lbc/site.lb --confirm-within 2m",
          {done, bad_input, refused, rolled_back, partly_applied}},
         add_apply,
         change_kernel},
        {{"remove",
          "remove everything that lbc installed on this director",
          "Change",
          "sudo lbc remove",
          {done, bad_input, refused, rolled_back, partly_applied}},
         add_remove,
         change_kernel},
        {{"confirm",
          "keep the change of an apply --confirm-within",
          "Change",
          "sudo lbc confirm",
          {done, bad_input, refused, rolled_back, partly_applied}},
         add_confirm,
         connect},
        {{"rollback",
          "roll the change of an apply --confirm-within back at once",
          "Change",
          "sudo lbc rollback",
          {done, bad_input, refused, rolled_back, partly_applied}},
         add_rollback,
         connect},
        {{"fmt",
          "bring site files into the canonical layout",
          "Files",
          "lbc fmt -i site.lb",
          {done, differs, bad_input, refused}},
         add_fmt,
         write_files},
        {{"compile",
          "print a site as rules, scripts, configuration or JSON",
          "Files",
          "lbc compile site.lb -d lb1 --emit sh -o rules.sh",
          {done, differs, bad_input, refused}},
         add_compile,
         write_files},
    };
    return commands;
}

/// Output that is lost is a failure of a command that has nothing but output; what was done to the kernel is done.
Status finish(Status status, bool changed_kernel, Environment const& environment) {
    if (environment.out.flush())
        return status;
    print_failure(environment, "cannot write to standard output");
    return changed_kernel ? status : Status::refused;
}

Status run_command(std::vector<std::string> const& arguments, Environment const& environment) {
    auto asked_for = arguments;
    if (std::erase_if(asked_for, [](auto const& word) { return word == "-v" || word == "--verbose"; }) > 0 &&
        asked_for == std::vector<std::string>{"--version"}) {
        environment.out << fmt::format("lbc {}\n{}", version(), printable_lines(version_details()));
        return finish(Status::done, false, environment);
    }
    CommandLine line("lbc makes firewall marks and IPVS services for LVS directors from one site file",
                     fmt::format("lbc {}", version()), environment.width_out.value_or(80));
    std::vector<Command> commands;
    for (auto const& command : named_commands())
        commands.push_back(command.add(line.add(command.help)));
    auto const asked = line.parse(arguments, environment.out, environment.err);
    if (!asked)
        return asked.error() == Status::done ? finish(Status::done, false, environment) : asked.error();
    auto const& command = named_commands()[*asked];
    try {
        if (command.rights)
            environment.keep(*command.rights);
        return finish(commands[*asked](environment), changes_kernel(command), environment);
    } catch (std::exception const& error) {
        // Memory that ran out, or a broken promise of a library: nothing that a command handles.
        print_failure(environment, error.what());
        return Status::refused;
    }
}

} // namespace

Status run(std::vector<std::string> const& arguments, Environment const& environment) {
    CleanBuffer out_buffer(environment.out, environment.colour_out);
    CleanBuffer err_buffer(environment.err, environment.colour_err);
    std::ostream out(&out_buffer);
    std::ostream err(&err_buffer);
    err.tie(&out); // as standard error is to standard output
    err << std::unitbuf;
    return run_command(arguments, {.files = environment.files,
                                   .host = environment.host,
                                   .kernel = environment.kernel,
                                   .out = out,
                                   .err = err,
                                   .colour_out = environment.colour_out,
                                   .colour_err = environment.colour_err,
                                   .width_out = environment.width_out,
                                   .width_err = environment.width_err,
                                   .keep_rights = environment.keep_rights});
}

} // namespace lbc
