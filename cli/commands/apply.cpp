#include "backends/apply/apply.hpp"
#include "backends/apply/drain.hpp"
#include "backends/apply/make_change.hpp"
#include "backends/apply/pending_change.hpp"
#include "backends/apply/self_check.hpp"
#include "backends/apply/wanted.hpp"
#include "backends/emit/unsupported.hpp"
#include "backends/nft/nft.hpp"
#include "cli/commands/commands.hpp"
#include "cli/report/apply_output.hpp"
#include "cli/report/drain_output.hpp"
#include "cli/report/machine_report.hpp"
#include "cli/report/site_names.hpp"
#include "compiler/site/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    std::string only;
    std::string backend; // of the marks; empty: auto
    bool migrate = false;
    bool dry_run = false;
    bool json = false;
    bool verbose = false;
    std::chrono::milliseconds wait{5000};
    std::string keepalived_config = "/etc/keepalived/keepalived.conf";
    std::optional<bool> prove; // requested, or declined; none: neither
    std::optional<std::chrono::milliseconds> drain;
    std::optional<std::chrono::milliseconds> confirm_within;

    [[nodiscard]] bool marks() const { return only != "ipvs"; }
    [[nodiscard]] bool ipvs() const { return only != "marks"; }

    void add_to(CommandOptions command) {
        command.text("--only", only, "the mangle tables alone, or IPVS alone")
            .one_of({"marks", "ipvs"})
            .value("marks|ipvs");
        command.flag("--dry-run", dry_run, "print what would change, and change nothing");
        command.flag("-v,--verbose", verbose, "print each rule and each write to IPVS, too");
        command
            .time(
                "--wait", [this](std::chrono::milliseconds time) { wait = time; },
                "how long to wait for the xtables lock")
            .value("TIME [5s]");
        add_format_to(command, json);
    }

    void add_apply_only(CommandOptions command) {
        command.text("--keepalived-config", keepalived_config, "keepalived's file, under `ipvs keepalived`")
            .not_empty()
            .value("PATH [/etc/keepalived/keepalived.conf]");
        command
            .text(
                "--backend", backend,
                "how packets are marked; auto, the default, keeps the backend in use, else picks the one that this box "
                "uses")
            .one_of({"iptables", "nft", "auto"})
            .value("iptables|nft|auto");
        command.flag("--migrate", migrate,
                     "move lbc's rules to --backend, or to the backend that this box uses; no packet goes unmarked");
        command.flag("--prove,!--no-prove", prove,
                     "prove first that the rules mark every packet as the site says; the default for up to 1,000 kinds "
                     "of traffic, which takes about a second");
        auto const draining = command
                                  .time(
                                      "--drain", [this](std::chrono::milliseconds time) { drain = time; },
                                      "real servers that leave get no new connections, and are removed when they have "
                                      "none left or when TIME is over")
                                  .value("TIME");
        command
            .time(
                "--confirm-within", [this](std::chrono::milliseconds time) { confirm_within = time; },
                "roll the change back when TIME is over, unless `lbc confirm` comes before")
            .value("TIME")
            .excludes(draining);
    }
};

/// A command with its options and its output.
struct Run {
    Options const& options;
    Environment const& environment;
    std::string_view who;
    Sources const* sources = nullptr;
    std::shared_ptr<Kernel> kernel;
    SiteNames names{};
    MachineFindings const* machine = nullptr;
    std::function<MarkCheck(Kernel&)> check{}; // of the marks after a change; none: not requested

    [[nodiscard]] ApplyOutput output() const {
        ApplyOutput said{who, options.json, options.dry_run, options.verbose || options.dry_run, &names, machine};
        if (check)
            said.check = [*this] { return check(*kernel); };
        return said;
    }

    [[nodiscard]] Status fail(ApplyFailure const& failure) const {
        return print_apply_failure(failure, sources, output(), environment);
    }
};

Wanted nothing_of(Options const& options) {
    Wanted wanted;
    if (options.marks())
        want_no_marks(wanted);
    if (options.ipvs())
        wanted.ipvs.emplace();
    return wanted;
}

/// Makes the change, or shows it. Returns a status if there is no change that could be rolled back.
std::expected<Transaction, Status> change(Run const& run, Wanted const& wanted, Ready const& ready) {
    auto transaction = Transaction::plan(*run.kernel, wanted, run.options.wait);
    if (!transaction)
        return std::unexpected(run.fail(transaction.error()));
    if (!run.options.dry_run) {
        if (auto done = make_change(*transaction, ready); !done)
            return std::unexpected(run.fail(done.error()));
    }
    print_changes(transaction->changes(), run.output(), run.environment);
    if (run.options.dry_run || transaction->changes().empty())
        return std::unexpected(Status::done);
    return std::move(*transaction);
}

/// Prints until when the change can be confirmed; for people, in local time.
void tell_confirm(Run const& run) {
    if (!run.options.json)
        run.environment.err << fmt::format("{}: run `lbc confirm` until {} to keep the change; after that lbc rolls it "
                                           "back, as `lbc rollback` does at once\n",
                                           run.who, clock_in(*run.options.confirm_within));
}

Status change_and_drain(Run const& run, Wanted const& wanted) {
    auto const limit = *run.options.drain;
    auto const tell = [&](DrainStage stage, std::vector<LeavingReal> const& left) {
        print_drain(stage, left, limit, run.output(), run.environment);
    };
    auto const changes = drain({*run.kernel, limit, run.options.wait, tell}, wanted);
    if (!changes)
        return run.fail(changes.error());
    if (!*changes)
        return Status::partly_applied;
    print_changes(**changes, run.output(), run.environment);
    return Status::done;
}

Status carry_out(Run run, Wanted const& wanted) {
    if (run.options.confirm_within && !run.options.dry_run) {
        auto const make = [&](Ready const& ready) {
            run.kernel = run.environment.kernel();
            auto made = change(run, wanted, ready);
            if (made)
                tell_confirm(run);
            return made;
        };
        auto const& environment = run.environment;
        auto const ended = supervise(make, *run.options.confirm_within, [&] {
            environment.out.flush();
            environment.err.flush();
        });
        return ended.text.empty() ? ended.status : fail(ended.status, ended.text, environment);
    }
    run.kernel = run.environment.kernel();
    if (run.options.drain && !run.options.dry_run)
        return change_and_drain(run, wanted);
    auto const done = change(run, wanted, refuse_if_pending);
    return done ? Status::done : done.error();
}

/// Why options cannot be carried out for this site; empty: they can.
std::string refuse_options(Options const& options, Site const& site) {
    if (options.drain && !options.ipvs())
        return "--drain does nothing with --only marks";
    if (options.drain && site.ipvs == IpvsOwner::keepalived)
        return "--drain does nothing under `ipvs keepalived`: give a real server weight 0 first, and take it out when "
               "it has no connection left";
    return {};
}

/// Prints the backend that marks and the reason, if that is news.
void tell_backend(Backend const& backend, Run const& run) {
    auto const& options = run.options;
    bool const is_news = options.backend == "auto" || options.dry_run || backend.places.none() || backend.is_move();
    if (is_news && !backend.reason.empty())
        run.environment.err << fmt::format("{}: marks by {}: {}\n", run.who, title(backend.tool), backend.reason);
    if (backend.is_move())
        run.environment.err << fmt::format("{}: marks move from {}\n", run.who, backend.places.str());
}

Status apply_site(Options const& options, Environment const& environment) {
    auto const input = read_site(options.site, environment);
    std::expected<Backend, SystemError> backend;
    if (input->good()) {
        if (options.marks())
            backend = choose_backend(*environment.kernel(), options.backend, options.migrate);
        report_unsupported(input->site, options.only == "marks" ? Output::marks : Output::apply, input->diagnostics);
        if (backend && backend->tool == MarkTool::nft)
            report_nft_limits(input->site, input->diagnostics);
        report_this_machine(*input, options.site.director, environment);
    }
    print_messages(*input, options.site, environment);
    if (!input->good())
        return Status::bad_input;
    auto const director = choose_director(input->site, options.site.director, environment.host);
    if (!director) {
        print_failure(environment, director.error());
        return Status::bad_input;
    }
    auto const plan = make_plan(input->site, *director);
    auto const machine = machine_findings(*input);
    Run run{options,         environment, input->site[*director].name.value,
            &input->sources, nullptr,     SiteNames(input->site, plan),
            &machine};
    if (!backend)
        return run.fail({ApplyFailure::Outcome::refused, std::move(backend.error()), {}});
    auto const tool = backend->tool;
    if (auto const refusal = refuse_options(options, input->site); !refusal.empty()) {
        print_failure(environment, refusal);
        return Status::bad_input;
    }
    if (options.marks() && backend->is_move() && !options.migrate)
        return run.fail({ApplyFailure::Outcome::refused, move_refusal(*backend), {}});
    if (options.marks())
        tell_backend(*backend, run);
    bool const is_small = plan.marks.classes.size() <= proved_unasked;
    if (options.marks() && !options.prove && !is_small)
        environment.err << fmt::format("{}: the marks are not proved, since the site has more than {} kinds of "
                                       "traffic: `lbc verify` proves them\n",
                                       run.who, proved_unasked);
    if (options.marks() && options.prove.value_or(is_small)) {
        if (auto const proved = tool == MarkTool::nft ? prove_nft(input->site, plan, nft_state(input->site, plan.marks))
                                                      : prove_layout(input->site, plan, input->layout);
            !proved)
            return fail(Status::refused, proved.error(), environment);
        run.check = [&](Kernel& kernel) { return check_marks(input->site, plan, kernel); };
    }
    Wanted wanted;
    if (options.marks())
        want_marks(input->site, plan, tool, input->layout, wanted);
    if (options.ipvs())
        want_ipvs(input->site, plan, options.keepalived_config, wanted);
    if (options.drain)
        wanted.ipvs->drain = true;
    return carry_out(run, wanted);
}

Status answer(std::string_view word, Environment const& environment) {
    auto const answered = answer_pending(word);
    if (!answered) {
        print_failure(environment, answered.error());
        return Status::refused;
    }
    (answered->status == Status::done ? environment.out : environment.err) << answered->text;
    return answered->status;
}

} // namespace

Command add_apply(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    options->site.writes = true;
    options->site.add_layout_to(command);
    options->add_to(command);
    options->add_apply_only(command);
    return [options](Environment const& environment) { return apply_site(*options, environment); };
}

Command add_remove(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    options->site.writes = true;
    command.at("FILE").required(false).describe(
        "optional: lbc finds its own rules by name, and its services in /run/lbc");
    options->add_to(command);
    return [options](Environment const& environment) {
        auto const machine = environment.host.name();
        std::string_view const who = machine.empty() ? "this machine" : std::string_view(machine);
        return carry_out({*options, environment, who, nullptr, nullptr, {}}, nothing_of(*options));
    };
}

Command add_confirm(CommandOptions /*command*/) {
    return [](Environment const& environment) { return answer("confirm", environment); };
}

Command add_rollback(CommandOptions /*command*/) {
    return [](Environment const& environment) { return answer("rollback", environment); };
}

} // namespace lbc
