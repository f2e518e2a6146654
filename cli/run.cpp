#include "cli/run.hpp"

#include "cli/clean_stream.hpp"
#include "cli/commands.hpp"
#include "cli/site_input.hpp"

#include <exception>
#include <optional>
#include <ostream>
#include <utility>

namespace lbc {
namespace {

struct NamedCommand {
    CLI::App* subcommand;
    Command command;
    std::optional<Rights> rights; // that it needs; none: it says so itself, by its options
    bool changes_kernel = false;
};

void describe(CLI::App& app) {
    app.require_subcommand(1);
    app.set_version_flag("--version", "lbc " LBC_VERSION);
    app.footer("Exit status: 0 done; 1 done, and the answer is no; 2 usage or an error in the input; 3 the system\n"
               "refused, nothing was touched; 4 failed and taken back; 5 failed, and something is left behind.\n"
               "More: lbc COMMAND --help, lbc explain, lbc(8)");
}

/// Output that is lost is a failure of a command that has nothing but output; what was done to the kernel is done.
Status finish(Status status, bool changes_kernel, Environment const& environment) {
    if (environment.out.flush())
        return status;
    print_failure(environment, "cannot write to standard output");
    return changes_kernel ? status : Status::refused;
}

Status run_command(std::vector<std::string> const& arguments, Environment const& environment) {
    CLI::App app("lbc makes mangle marks and IPVS services for LVS directors from one site file", "lbc");
    describe(app);
    std::vector<NamedCommand> commands;
    auto const add = [&](char const* name, char const* what, Command (*add_to)(CLI::App&),
                         std::optional<Rights> rights) {
        auto* subcommand = app.add_subcommand(name, what);
        bool const changes_kernel = rights == Rights::change_kernel || rights == Rights::connect;
        commands.push_back({subcommand, add_to(*subcommand), rights, changes_kernel});
    };
    using enum Rights;
    add("check", "parse, resolve and check a site file", add_check, read_files);
    add("fmt", "bring site files into the canonical layout", add_fmt, write_files);
    add("compile", "print what a site file means, as rules, a script or JSON", add_compile, write_files);
    add("diff", "say what a change of the file does to traffic", add_diff, std::nullopt);
    add("apply", "bring this director's kernel to the file", add_apply, change_kernel);
    add("status", "show what IPVS holds beside what the file says", add_status, read_box);
    add("trace", "walk one packet through the rules, from director to director", add_trace, std::nullopt);
    add("verify", "prove that the rules mark every packet as the file says", add_verify, std::nullopt);
    add("remove", "take everything of lbc's off this director", add_remove, change_kernel);
    add("confirm", "keep the change of an apply --confirm-within", add_confirm, connect);
    add("rollback", "take the change of an apply --confirm-within back at once", add_rollback, connect);
    add("explain", "say what a message means and what to do", add_explain, read_files);
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (CLI::ParseError const& error) {
        return app.exit(error, environment.out, environment.err) == 0 ? Status::done : Status::bad_input;
    }
    try {
        for (auto const& [subcommand, command, rights, changes_kernel] : commands) {
            if (!subcommand->parsed())
                continue;
            if (rights)
                environment.keep(*rights);
            return finish(command(environment), changes_kernel, environment);
        }
    } catch (std::exception const& error) {
        // Memory that ran out, or a broken promise of a library: nothing that a command handles.
        print_failure(environment, error.what());
        return Status::refused;
    }
    return Status::bad_input;
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
                                   .keep_rights = environment.keep_rights});
}

} // namespace lbc
