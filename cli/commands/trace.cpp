#include "backends/apply/observe.hpp"
#include "cli/commands/commands.hpp"
#include "cli/input/packet.hpp"
#include "cli/input/read_dump.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/trace_report.hpp"
#include "compiler/analysis/wording.hpp"
#include "compiler/layout/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <ostream>
#include <set>

namespace lbc {
namespace {

struct Options {
    SiteOptions site;
    TracedPacket packet;
    std::vector<std::string> against;
    std::string folder;
    bool live = false;
    bool ipv6 = false;
    bool every_rule = false;
    bool json = false;
};

template <typename T>
using Read = std::expected<T, std::string>;

/// Rules of a director, and their source.
struct RuleSource {
    Netfilter netfilter;
    std::string name;

    [[nodiscard]] RulesFor rules() const { return RuleIndex(netfilter).all(); }
};

/// By a director's index.
using RuleSources = std::map<std::size_t, RuleSource>;

class Tracer {
public:
    Tracer(Site const& site, Layout layout, RuleSources given)
        : site_(site), states_(states_of(site, layout)), given_(std::move(given)) {}

    TraceReport run(DirectorId first, Sender const& sender) {
        TraceReport report;
        report.guard_mark = site_.guard_mark;
        known_.insert({first.index, sender.packet.source});
        waiting_.push_back({first, sender.packet, sender.direction, sender.name, sender.is_director});
        while (!waiting_.empty()) {
            auto const next = std::move(waiting_.front());
            waiting_.pop_front();
            report.hops.push_back(follow(next));
        }
        report.goes_round = goes_round_;
        return report;
    }

private:
    struct Arrival {
        DirectorId director;
        Packet packet;
        Direction direction = Direction::entering;
        std::string from;
        bool is_forwarded = false;
    };

    /// The given rules, else the compiled ones.
    [[nodiscard]] RuleSource const& rules_at(DirectorId director, Family family) {
        auto [place, is_new] = given_.try_emplace(director.index);
        if (is_new)
            place->second = {{family, {states_[director.index].marks[index_of(family)]}}, "as compiled"};
        return place->second;
    }

    TraceHop follow(Arrival const& arrival) {
        auto const family = arrival.packet.destination.family();
        auto const& state = states_[arrival.director.index];
        auto const& source = rules_at(arrival.director, family);
        TraceHop hop;
        hop.director = state.name;
        hop.from = arrival.from;
        hop.is_forwarded = arrival.is_forwarded;
        hop.direction = arrival.direction;
        hop.packet = arrival.packet;
        hop.rules = source.name;
        hop.outcomes = source.rules().trace(arrival.direction, arrival.packet, [&](TraceStep const& step) {
            add(traced(step, arrival.packet), hop.steps);
        });
        auto const* service = balanced(hop.outcomes, state, family);
        if (service == nullptr)
            return hop;
        hop.service = service->name;
        hop.scheduler = service->service.scheduler.name;
        balanced_.insert(key_of(arrival));
        for (auto const& real : service->service.reals)
            hop.candidates.push_back(candidate(real, *service, arrival));
        return hop;
    }

    /// Parts of one rule of nftables are one rule, which matches if one of them does.
    static void add(TracedRule rule, std::vector<TracedRule>& to) {
        bool const is_same = !to.empty() && to.back().table.contains(' ') && to.back().is_same_rule(rule);
        if (!is_same)
            to.push_back(std::move(rule));
        else if (rule.match >= to.back().match)
            to.back() = std::move(rule);
    }

    static TracedRule traced(TraceStep const& step, Packet const& packet) {
        TracedRule rule{std::string(step.table),
                        std::string(step.chain),
                        step.number,
                        step.words(),
                        step.match,
                        {},
                        step.depth,
                        is_own_rule(step.table, step.chain, *step.rule),
                        {}};
        if (step.match == TraceStep::Match::no)
            rule.why_not = why_not(*step.rule, packet);
        if (step.is_mark_known)
            rule.mark = step.mark;
        return rule;
    }

    static NamedService const* balanced(Outcomes const& outcomes, DirectorState const& state, Family family) {
        auto const outcome = only(outcomes);
        return outcome.is_marked() ? state.find({outcome.mark, family}) : nullptr;
    }

    /// A real server. If it is another director, the trace follows the packet there.
    Candidate candidate(Destination const& real, NamedService const& service, Arrival const& arrival) {
        Candidate found{real, share_of(real, service.service), {}, false};
        auto const other = director_at(site_, real.address);
        if (!other)
            return found;
        found.director = site_[*other].name.value;
        found.is_here = *other == arrival.director;
        if (found.is_here || real.forwarding.method == Forwarding::Method::nat)
            return found;
        Arrival next{*other, arrival.packet, Direction::entering, states_[arrival.director.index].name, true};
        next.packet.mark = {};
        next.packet.interface = usual_interface(site_, *other, next.packet);
        if (real.forwarding.method == Forwarding::Method::tun) {
            next.packet.source.reset();
            next.packet.interface = "tun0";
            next.from += ", through a tunnel";
        } else if (auto const& macs = site_[arrival.director].macs; !macs.empty()) {
            next.packet.source = macs.front().value;
        }
        goes_round_ = goes_round_ || balanced_.contains(key_of(next));
        if (known_.insert(key_of(next)).second)
            waiting_.push_back(std::move(next));
        return found;
    }

    using Key = std::pair<std::size_t, std::optional<MacAddress>>;
    static Key key_of(Arrival const& arrival) { return {arrival.director.index, arrival.packet.source}; }

    Site const& site_;
    DirectorStates states_;
    RuleSources given_;
    std::deque<Arrival> waiting_;
    std::set<Key> known_;    // arrivals that are followed, or will be
    std::set<Key> balanced_; // those that a director balances
    bool goes_round_ = false;
};

std::expected<RuleSource, SystemError> live_rules(Family family, std::string const& director,
                                                  Environment const& environment) {
    auto rules = read_all_rules(*environment.kernel());
    if (!rules)
        return std::unexpected(std::move(rules.error()));
    return RuleSource{std::move(*(*rules)[index_of(family)]), "of the kernel of " + director};
}

Read<RuleSource> dumped_rules(Options const& options, Family family, std::string const& director, DumpReader& reader) {
    FamilyRules dump;
    if (!options.folder.empty()) {
        auto read = reader.read_folder(options.folder, director);
        if (!read)
            return std::unexpected(read.error());
        dump = std::move(*read);
    }
    for (auto const& path : options.against) {
        auto const told = options.ipv6 ? std::optional(Family::ipv6) : std::nullopt;
        if (auto const added = reader.add(dump, path, told, director); !added)
            return std::unexpected(added.error());
    }
    auto& rules = dump[index_of(family)];
    auto const& place = options.folder.empty() ? options.against.front() : options.folder;
    if (!rules)
        return std::unexpected(
            fmt::format("`{}` has no {} rules of `{}`, which this packet needs", place, title(family), director));
    return RuleSource{std::move(*rules), "of " + place};
}

/// Reads rules from files, of the first director or of all.
Read<RuleSources> dumped_rules(Options const& options, Site const& site, DirectorId first, Family family,
                               Environment const& environment) {
    RuleSources sources;
    DumpReader reader(environment.files);
    for (std::size_t i = 0; i < site.directors.size(); ++i) {
        if (options.folder.empty() && i != first.index)
            continue;
        auto source = dumped_rules(options, family, site.directors[i].name.value, reader);
        if (!source)
            return std::unexpected(source.error());
        sources.emplace(i, std::move(*source));
    }
    print_notes(environment, reader.notes());
    return sources;
}

Status trace_packet(Options const& options, Environment const& environment) {
    environment.keep(options.live ? Rights::read_kernel : Rights::read_files);
    auto const input = read_site(options.site, environment);
    if (!input->good()) {
        print_messages(*input, options.site, environment);
        return Status::bad_input;
    }
    auto const& site = input->site;
    auto const director = choose_director(site, options.site.director, environment.host);
    if (!director)
        return fail(Status::bad_input, director.error(), environment);
    auto const sender = read_sender(options.packet, site, *director, environment.host);
    if (!sender)
        return fail(Status::bad_input, sender.error(), environment);
    auto const& name = site[*director].name.value;
    auto const family = sender->packet.destination.family();
    RuleSources given;
    if (options.live) {
        auto rules = live_rules(family, name, environment);
        if (!rules)
            return fail(Status::refused, rules.error().message, environment);
        given.emplace(director->index, std::move(*rules));
    } else if (!options.against.empty() || !options.folder.empty()) {
        auto rules = dumped_rules(options, site, *director, family, environment);
        if (!rules)
            return fail(Status::bad_input, rules.error(), environment);
        given = std::move(*rules);
    }
    auto const report = Tracer(site, input->layout, std::move(given)).run(*director, *sender);
    environment.out << (options.json ? trace_json(report)
                                     : trace_text(report, options.every_rule, environment.colour_out));
    return Status::done;
}

} // namespace

Command add_trace(CommandOptions command) {
    auto options = std::make_shared<Options>();
    options->site.add_to(command, true);
    options->site.add_layout_to(command);
    command.text("--to", options->packet.to, "the packet's destination; the port only where the protocol has ports")
        .required()
        .value("ADDRESS:PORT REQUIRED");
    command.text("--proto", options->packet.protocol, "tcp, udp, sctp, icmp, or an IP protocol number")
        .value("PROTOCOL [tcp]");
    auto const from = command
                          .text("--from", options->packet.from,
                                "a client, or another director, which has forwarded it; the director itself: it sends "
                                "the packet")
                          .not_empty()
                          .value("client|DIRECTOR [client]");
    command.text("--from-mac", options->packet.from_mac, "the source MAC; none: it comes from a device that has none")
        .not_empty()
        .excludes(from)
        .value("MAC|none");
    command.text("--in", options->packet.interface, "where it enters; by default where the site says that clients do")
        .not_empty()
        .value("INTERFACE");
    auto const live = command.flag("--live", options->live, "by all rules of this machine's kernel");
    auto const against =
        command
            .repeated("--against", options->against,
                      "by rules of a file: what iptables-save, ip6tables-save or `nft -j list ruleset` "
                      "printed, or rules.sh")
            .not_empty()
            .excludes(live)
            .value("DUMP");
    command.flag("-6", options->ipv6, "DUMP is of ip6tables-save, where the text does not tell").needs(against);
    command
        .text("--site", options->folder,
              "by rules of all directors, each DIR/NAME/iptables.rules and ip6tables.rules, or nft.json")
        .not_empty()
        .excludes(live)
        .excludes(against)
        .value("DIR");
    command.flag("-v,--verbose", options->every_rule, "print the rules that do not match, too");
    add_format_to(command, options->json);
    command.finally([options]() -> std::optional<UsageError> {
        if (std::ranges::count(options->against, "-") + (options->site.file == "-" ? 1 : 0) > 1)
            return UsageError{"--against", "standard input can be one of the files, not more"};
        return std::nullopt;
    });
    return [options](Environment const& environment) { return trace_packet(*options, environment); };
}

} // namespace lbc
