#include "cli/report/verify_report.hpp"

#include "backends/emit/json/json_text.hpp"
#include "cli/input/site_input.hpp"
#include "cli/report/mark_change_json.hpp"
#include "compiler/analysis/wording.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <ranges>
#include <span>
#include <utility>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

/// Shown in text for each director; JSON has all.
constexpr std::size_t most_shown = 20;

std::string_view paint(std::string_view colour, bool on) { return on ? colour : std::string_view(); }
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view plain = "\x1b[0m";

/// The names that marks have on one director.
class MarkNames {
public:
    MarkNames(Site const& site, std::string_view director) : site_(site) {
        if (auto const id = site.find_director(director))
            for (auto const& service : site.services)
                if (auto const* on = service.on_director(*id))
                    names_[on->mark] = service.name.value;
    }

    /// "mark 0x3 (web)", "no mark"
    [[nodiscard]] std::string text(Fwmark mark) const {
        if (mark == Fwmark{})
            return "no mark";
        if (auto const found = names_.find(mark); found != names_.end())
            return fmt::format("mark {} ({})", mark.str(), found->second);
        return fmt::format("mark {}{}", mark.str(), mark == site_.guard_mark ? " (the guard's)" : "");
    }

private:
    Site const& site_;
    std::map<Fwmark, std::string> names_;
};

std::string text_of(Outcome const& outcome, Packet const& packet, MarkNames const& names) {
    if (outcome.unknown)
        return "any mark";
    if (outcome.dropped)
        return "dropped";
    if (outcome.open != 0)
        return fmt::format("{}, and any of the bits {:#x}", names.text(outcome.mark), outcome.open);
    std::string_view const elsewhere = outcome.readdressed ? ", to another destination" : "";
    if (outcome.mark == packet.mark && packet.mark != Fwmark{})
        return fmt::format("the mark that they have{}", elsewhere);
    return names.text(outcome.mark) + std::string(elsewhere);
}

std::string text_of(Outcomes const& outcomes, Packet const& packet, MarkNames const& names) {
    std::vector<std::string> texts;
    for (auto const& outcome : outcomes)
        texts.push_back(text_of(outcome, packet, names));
    constexpr std::size_t most = 4;
    if (texts.size() <= most)
        return fmt::format("{}", fmt::join(texts, ", or "));
    return fmt::format("{}, or {} others", fmt::join(texts.begin(), texts.begin() + most, ", or "),
                       texts.size() - most);
}

std::string text_of(Decision const& decision) {
    return printable(fmt::format("{} {} {}, {}: {}", decision.table, decision.chain, decision.number,
                                 decision.is_own ? "lbc's" : "not lbc's", decision.rule));
}

std::string title_of(MarkChange const& packets) {
    auto const carried =
        packets.carried == Fwmark{} ? std::string() : fmt::format(", with mark {}", packets.carried.str());
    auto const first =
        packets.witness.connection == Packet::Connection::first ? ", the first packets of connections" : "";
    return fmt::format("{} {}{}{}", list_of(targets_of(packets)), origin_of(packets), carried, first);
}

/// Lines about packets of one kind.
std::string text_of(MarkFault const& fault, MarkNames const& names) {
    auto const& packets = fault.packets;
    auto text = fmt::format("\n  {}\n", title_of(packets));
    text += fmt::format("    site     {}\n", text_of(packets.before, packets.witness, names));
    text += fmt::format("    rules    {}{}\n", fault.kind == MarkFault::Kind::unknown ? "unknown: " : "",
                        text_of(packets.possible, packets.witness, names));
    text += fmt::format("    decided  {}\n", fault.decision ? text_of(*fault.decision) : "no rule");
    return text + fmt::format("    packet   {}\n", title_of_witness(packets));
}

/// Faults that one rule decides, in the same way.
using FaultGroup = std::vector<MarkFault const*>;

std::vector<FaultGroup> grouped(VerifiedDirector const& director) {
    std::vector<FaultGroup> groups;
    std::map<std::pair<MarkFault::Kind, std::string>, std::size_t> places;
    for (auto const& family : director.families)
        for (auto const& fault : family.proof.faults) {
            auto const rule = fault.decision ? text_of(*fault.decision) : std::string();
            auto const [place, is_new] = places.try_emplace({fault.kind, rule}, groups.size());
            if (is_new)
                groups.emplace_back();
            groups[place->second].push_back(&fault);
        }
    return groups;
}

/// The first of a group in full, and a short text for each other.
std::string text_of(FaultGroup const& group, MarkNames const& names) {
    constexpr std::ptrdiff_t most = 4;
    auto text = text_of(*group.front(), names);
    auto const others = std::span(group).subspan(1);
    for (auto const* other : others | std::views::take(most))
        text += fmt::format("    also     {}: {}\n", title_of(other->packets),
                            text_of(other->packets.possible, other->packets.witness, names));
    if (std::ssize(others) > most)
        text += fmt::format("    also     {} kinds of packets more\n", std::ssize(others) - most);
    return text;
}

std::string summary(VerifiedFamily const& family) {
    return fmt::format("  {}: {}; {}, {}\n", title(family.family),
                       family.tables.empty() ? "no tables"
                                             : printable(fmt::format("{}", fmt::join(family.tables, ", "))),
                       counted(family.rules, "rule"), fmt::format("{} kinds of packets", family.proof.pieces));
}

std::string head(VerifiedDirector const& director, bool colour) {
    if (director.holds()) {
        auto const which =
            director.unasked.empty() ? std::string() : fmt::format("{} ", title(director.families.front().family));
        return fmt::format("{}: {}every {}packet has the site's mark{}\n", director.director, paint(green, colour),
                           which, paint(plain, colour));
    }
    std::vector<std::string> parts;
    if (director.dropped() > 0)
        parts.push_back(fmt::format("{} dropped by foreign rules", director.dropped()));
    if (director.differences() > 0)
        parts.push_back(counted(director.differences(), "difference"));
    if (director.unknown() > 0)
        parts.push_back(fmt::format("{} unknown", director.unknown()));
    return fmt::format("{}: {}{}{}\n", director.director,
                       paint(director.differences() + director.dropped() > 0 ? red : yellow, colour),
                       fmt::join(parts, ", "), paint(plain, colour));
}

std::string machine_text(MachineFindings const& machine, std::string_view director, bool colour) {
    auto const lines = machine_lines(machine);
    if (lines.empty())
        return {};
    return fmt::format("{}: {}this machine is not what the file says{}\n{}", director,
                       paint(machine.is_fit_for_marks() ? yellow : red, colour), paint(plain, colour), lines);
}

std::string text_of(VerifiedDirector const& director, Site const& site, bool colour) {
    auto text = head(director, colour);
    MarkNames const names(site, director.director);
    if (director.machine)
        text += machine_text(*director.machine, director.director, colour);
    for (auto const& family : director.families)
        text += summary(family);
    for (auto const family : director.unasked)
        text += fmt::format("  {}: not looked at, no rules were given\n", title(family));
    for (auto const& family : director.families)
        if (family.proof.is_given_up)
            text += fmt::format("  unknown: the {} proof is given up, since these rules tell too many kinds of packets "
                                "apart, or differ all over\n",
                                title(family.family));
    for (auto const& family : director.families)
        for (auto const& fault : family.proof.dropped)
            text += fmt::format("  foreign rules drop {}: no fault, since the service is `firewalled` or none of its "
                                "clients comes in there\n",
                                title_of(fault.packets));
    auto const groups = grouped(director);
    for (auto const& group : groups | std::views::take(most_shown))
        text += text_of(group, names);
    if (groups.size() > most_shown)
        text += fmt::format("\n  … and by {} more; --format json has them all\n",
                            counted(groups.size() - most_shown, "rule"));
    if (director.dropped() > 0)
        text +=
            "\n  What foreign rules drop comes to no real server. If that is meant, say `firewalled` in the service, "
            "or `interface` with those on which its clients are.\n";
    for (auto const& [service, by_address] : director.conflicts)
        text += fmt::format("\n  {}: IPVS has a service by address, {}/{}, which balances what the site leaves alone, "
                            "peers' packets too; without a guard they loop\n",
                            service, endpoint(by_address.address, by_address.port), protocol_name(by_address.protocol));
    for (auto const& service : director.missing)
        text += fmt::format("\n  {}: IPVS has no virtual service for mark {} ({})\n", service.name,
                            service.key.mark.str(), title(service.key.family));
    return text;
}

Json json_of(Decision const& decision) {
    return {{"table", decision.table}, {"chain", decision.chain},   {"number", decision.number},
            {"rule", decision.rule},   {"is_lbc", decision.is_own}, {"is_sure", decision.is_sure}};
}

std::string_view name_of(MarkFault::Kind kind) {
    switch (kind) {
    case MarkFault::Kind::differs: return "differs";
    case MarkFault::Kind::unknown: return "unknown";
    case MarkFault::Kind::dropped: return "dropped";
    }
    std::unreachable();
}

Json json_of(VerifiedFamily const& family) {
    auto faults = Json::array();
    for (auto const& fault : family.proof.faults) {
        auto possible = Json::array();
        for (auto const& outcome : fault.packets.possible)
            possible.push_back(json_of(outcome));
        faults.push_back({{"kind", name_of(fault.kind)},
                          {"packets", json_of(fault.packets)},
                          {"possible", possible},
                          {"decision", fault.decision ? json_of(*fault.decision) : Json(nullptr)},
                          {"witness", json_of(fault.packets.witness)}});
    }
    auto dropped = Json::array();
    for (auto const& fault : family.proof.dropped)
        dropped.push_back(json_of(fault.packets));
    return {{"family", to_string(family.family)},
            {"tables", family.tables},
            {"rules", family.rules},
            {"classes", family.proof.pieces},
            {"given_up", family.proof.is_given_up},
            {"faults", faults},
            {"dropped_by_others", dropped}};
}

Json json_of(VerifiedDirector const& director) {
    Json object = {{"director", director.director},
                   {"holds", director.holds()},
                   {"differences", director.differences()},
                   {"unknown", director.unknown()},
                   {"dropped", director.dropped()}};
    auto families = Json::array();
    for (auto const& family : director.families)
        families.push_back(json_of(family));
    object["families"] = families;
    auto unasked = Json::array();
    for (auto const family : director.unasked)
        unasked.push_back(to_string(family));
    object["not_looked_at"] = unasked;
    auto conflicts = Json::array();
    for (auto const& [service, by_address] : director.conflicts)
        conflicts.push_back({{"service", service},
                             {"protocol", by_address.protocol},
                             {"address", by_address.address.str()},
                             {"port", by_address.port.value}});
    auto missing = Json::array();
    for (auto const& service : director.missing)
        missing.push_back(
            {{"service", service.name}, {"mark", service.key.mark.value}, {"family", to_string(service.key.family)}});
    object["services_by_address"] = director.asks_ipvs ? conflicts : Json(nullptr);
    object["missing_services"] = director.asks_ipvs ? missing : Json(nullptr);
    object["machine"] = director.machine ? machine_json(*director.machine) : Json(nullptr);
    return object;
}

Json json_of(LoopPath const& path) {
    auto hops = Json::array();
    for (auto const& hop : path.hops)
        hops.push_back({{"director", hop.director},
                        {"source_mac", hop.source ? Json(hop.source->str()) : Json(nullptr)},
                        {"mark", hop.mark.value},
                        {"service", hop.service},
                        {"next", hop.next_director.empty() ? Json(nullptr) : Json(hop.next_director)}});
    return {{"kind", path.fault == Fault::balanced_twice ? "balanced-twice" : "remembered"},
            {"service", path.service},
            {"packet", json_of(path.packet)},
            {"hops", hops},
            {"goes_round", path.goes_round}};
}

} // namespace

std::size_t VerifiedDirector::differences() const {
    return VerifiedRules::differences() + conflicts.size() + missing.size();
}

bool VerifyReport::knows_loops() const {
    return !loops_given_up &&
           std::ranges::all_of(directors, [](auto const& director) { return director.unknown() == 0; });
}

bool VerifyReport::holds() const {
    return loops.empty() && !loops_given_up && std::ranges::all_of(directors, [](auto const& director) {
               return director.holds() && (!director.machine || director.machine->is_fit_for_marks());
           });
}

std::string fault_line(MarkFault const& fault, Site const& site, std::string_view director) {
    MarkNames const names(site, director);
    auto const& packets = fault.packets;
    return fmt::format("{} {}: {}, not {}; decided by {}", list_of(targets_of(packets)), origin_of(packets),
                       text_of(packets.possible, packets.witness, names),
                       text_of(packets.before, packets.witness, names),
                       fault.decision ? text_of(*fault.decision) : "no rule");
}

std::string verify_text(VerifyReport const& report, bool colour) {
    std::string text;
    for (auto const& director : report.directors)
        text += text_of(director, *report.site, colour);
    if (!report.asks_loops)
        return text;
    if (report.loops_given_up)
        text += fmt::format("{}whether a packet is balanced twice is unknown: the rules tell too many kinds of packets "
                            "apart{}\n",
                            paint(yellow, colour), paint(plain, colour));
    else if (!report.knows_loops())
        text += fmt::format("{}what is unknown above may be balanced twice{}\n", paint(yellow, colour),
                            paint(plain, colour));
    else if (report.loops.empty())
        return text + fmt::format("{}no packet is balanced twice{}\n", paint(green, colour), paint(plain, colour));
    for (auto const& path : report.loops) {
        text += fmt::format("\n{}{}{}\n", paint(red, colour), title(path), paint(plain, colour));
        for (auto const& line : lines_of(path))
            text += fmt::format("  {}\n", line);
    }
    return text;
}

std::string verify_json(VerifyReport const& report) {
    auto directors = Json::array();
    for (auto const& director : report.directors)
        directors.push_back(json_of(director));
    auto loops = Json::array();
    for (auto const& path : report.loops)
        loops.push_back(json_of(path));
    Json const object = {{"holds", report.holds()},
                         {"directors", directors},
                         {"loops", report.asks_loops ? loops : Json(nullptr)},
                         {"knows_loops", report.asks_loops && report.knows_loops()}};
    return json_text(object, 2) + '\n';
}

} // namespace lbc
