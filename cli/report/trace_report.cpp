#include "cli/report/trace_report.hpp"

#include "backends/emit/json/json_text.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/mark_change_json.hpp"
#include "compiler/analysis/wording.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;
using Match = TraceStep::Match;

/// Up to this many rules that do not match are shown one by one.
constexpr std::size_t few = 4;

class Text {
public:
    Text(TraceReport const& report, bool every_rule, bool colour)
        : report_(report), every_rule_(every_rule), colour_(colour) {}

    std::string run() {
        for (auto const& hop : report_.hops)
            add(hop);
        if (report_.goes_round)
            text_ += fmt::format("\n{}\n", paint("the packet goes round until its TTL is gone", "\x1b[31m"));
        return std::move(text_);
    }

private:
    [[nodiscard]] std::string paint(std::string_view what, std::string_view colour) const {
        return colour_ ? fmt::format("{}{}\x1b[0m", colour, what) : std::string(what);
    }

    void add(TraceHop const& hop) {
        if (!text_.empty())
            text_ += '\n';
        bool const is_told =
            hop.direction == Direction::leaving || (hop.packet.source && hop.packet.source->str() == hop.from);
        text_ += fmt::format("{}: {}{}; rules {}\n", paint(hop.director, "\x1b[1m"),
                             title_of(hop.packet, hop.direction), is_told ? "" : ", from " + hop.from, hop.rules);
        for (std::size_t i = 0; i < hop.steps.size();)
            i = add_rules(hop, i);
        if (hop.steps.empty())
            text_ += "  no rules\n";
        text_ += fmt::format("  => {}\n", result(hop));
        add_candidates(hop);
    }

    /// Adds rules from one on; returns the index of the next one.
    std::size_t add_rules(TraceHop const& hop, std::size_t first) {
        auto const& step = hop.steps[first];
        auto last = first;
        while (last < hop.steps.size() && hop.steps[last].match == Match::no && hop.steps[last].chain == step.chain &&
               hop.steps[last].table == step.table)
            ++last;
        if (!every_rule_ && last - first > few) {
            text_ += fmt::format("  {:{}}{} {} to {}: {} do not match\n", "", 2 * step.depth, printable(step.chain),
                                 step.number, hop.steps[last - 1].number, counted(last - first, "rule"));
            return last;
        }
        auto const place = printable(step.table == "mangle" ? step.chain : step.table + " " + step.chain);
        if (step.rule.starts_with("policy "))
            text_ += fmt::format("  {} {}", place, printable(step.rule));
        else
            text_ += fmt::format("  {:{}}{} {}{}: {}", "", 2 * step.depth, place, step.number,
                                 step.is_own ? "" : " (not lbc's)", printable(step.rule));
        if (step.match == Match::no)
            text_ += fmt::format("   no: {}", printable(step.why_not));
        else
            text_ += paint(step.match == Match::maybe ? "   may match" : "   matches", "\x1b[32m");
        text_ += '\n';
        return first + 1;
    }

    /// Rules that are known lead to several outcomes only through chains whose order is not.
    [[nodiscard]] static std::string_view unknown_result(TraceHop const& hop) {
        bool const is_by_order = hop.outcomes.size() > 1 && std::ranges::none_of(hop.steps, [](TracedRule const& step) {
                                     return step.match == Match::maybe;
                                 });
        return is_by_order
                   ? "unknown: several chains have one hook and one priority, and the one that comes first decides"
                   : "unknown: a rule that lbc does not know decides";
    }

    [[nodiscard]] std::string result(TraceHop const& hop) const {
        if (hop.outcomes.size() > 1 || hop.outcomes.front().unknown || hop.outcomes.front().open != 0)
            return paint(unknown_result(hop), "\x1b[33m");
        auto const& outcome = hop.outcomes.front();
        if (outcome.dropped)
            return paint("dropped", "\x1b[31m");
        if (outcome.readdressed)
            return paint(fmt::format("mark {}: a foreign rule sends it to another destination", outcome.mark.str()),
                         "\x1b[33m");
        if (!hop.service.empty())
            return fmt::format("mark {}: {} ({}){}", outcome.mark.str(), paint(hop.service, "\x1b[1m"), hop.scheduler,
                               hop.is_forwarded ? ", which balances it once more" : "");
        if (outcome.mark == Fwmark{})
            return "no mark: IPVS leaves it alone, and it is delivered here";
        if (outcome.mark == report_.guard_mark)
            return fmt::format("mark {}, the guard's: delivered here, also if IPVS remembers the connection",
                               outcome.mark.str());
        return fmt::format("mark {}, which no virtual service has: delivered here", outcome.mark.str());
    }

    void add_candidates(TraceHop const& hop) {
        std::size_t width = 0;
        for (auto const& candidate : hop.candidates)
            width = std::max(width, candidate.real.name().size());
        for (auto const& candidate : hop.candidates) {
            text_ += fmt::format("     {:<{}}  {}, {}", candidate.real.name(), width,
                                 to_string(candidate.real.forwarding), candidate.share);
            if (candidate.is_here)
                text_ += "; here";
            else if (!candidate.director.empty())
                text_ += fmt::format("; on to {}", candidate.director);
            text_ += '\n';
        }
    }

    TraceReport const& report_;
    bool every_rule_;
    bool colour_;
    std::string text_;
};

std::string_view name_of(Match match) {
    switch (match) {
    case Match::no: return "no";
    case Match::yes: return "yes";
    case Match::maybe: break;
    }
    return "maybe";
}

Json json_of(TracedRule const& step) {
    return {{"table", step.table},
            {"chain", step.chain},
            {"number", step.number},
            {"rule", step.rule},
            {"is_lbc", step.is_own},
            {"matches", name_of(step.match)},
            {"why_not", step.match == Match::no ? Json(step.why_not) : Json(nullptr)},
            {"mark", step.mark ? Json(step.mark->value) : Json(nullptr)}};
}

Json json_of(Candidate const& candidate) {
    return {{"address", candidate.real.address.str()},
            {"port", candidate.real.port.value},
            {"weight", candidate.real.weight},
            {"forward", to_string(candidate.real.forwarding)},
            {"share", candidate.share},
            {"director", candidate.director.empty() ? Json(nullptr) : Json(candidate.director)},
            {"is_here", candidate.is_here}};
}

Json json_of(TraceHop const& hop) {
    auto steps = Json::array();
    for (auto const& step : hop.steps)
        steps.push_back(json_of(step));
    auto outcomes = Json::array();
    for (auto const& outcome : hop.outcomes)
        outcomes.push_back(json_of(outcome));
    auto candidates = Json::array();
    for (auto const& candidate : hop.candidates)
        candidates.push_back(json_of(candidate));
    return {{"director", hop.director},
            {"from", hop.from},
            {"leaves", hop.direction == Direction::leaving},
            {"packet", json_of(hop.packet)},
            {"rules", hop.rules},
            {"steps", steps},
            {"outcomes", outcomes},
            {"service", hop.service.empty() ? Json(nullptr) : Json(hop.service)},
            {"scheduler", hop.service.empty() ? Json(nullptr) : Json(hop.scheduler)},
            {"candidates", candidates}};
}

} // namespace

std::string trace_text(TraceReport const& report, bool every_rule, bool colour) {
    return Text(report, every_rule, colour).run();
}

std::string trace_json(TraceReport const& report) {
    auto hops = Json::array();
    for (auto const& hop : report.hops)
        hops.push_back(json_of(hop));
    Json const object = {{"hops", hops}, {"goes_round", report.goes_round}};
    return json_text(object, 2) + '\n';
}

} // namespace lbc
