#include "cli/diff_output.hpp"
#include "cli/write_lines.hpp"

#include <nlohmann/json.hpp>

#include <ranges>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

template <typename T, typename Make>
Json array_of(std::vector<T> const& list, Make make) {
    auto array = Json::array();
    for (auto const& item : list)
        array.push_back(make(item));
    return array;
}

template <typename T>
Json strings_of(std::vector<T> const& list) {
    return array_of(list, [](auto const& item) { return item.str(); });
}

Json json_of(Outcome const& outcome) {
    return {{"mark", outcome.mark.value}, {"dropped", outcome.dropped}, {"unknown", outcome.unknown}};
}

Json json_of(InterfaceClass const& interface) {
    if (!interface.pattern)
        return {{"name", interface.name}};
    return {{"pattern", interface.pattern->str()}, {"except", strings_of(interface.except)}};
}

/// A protocol that no rule names is null.
Json json_of(ProtocolPorts const& ports) {
    return {{"protocol", ports.protocol ? Json(*ports.protocol) : Json(nullptr)},
            {"ranges", array_of(ports.ports,
                                [](auto const& range) { return Json::array({range.first.value, range.last.value}); })}};
}

Json json_of(MarkChange const& change) {
    Json object = {
        {"family", to_string(change.destination.prefix.family())},
        {"destination", change.destination.prefix.str()},
        {"except", strings_of(change.destination.except)},
        {"ports", array_of(change.ports, [](auto const& ports) { return json_of(ports); })},
        {"named_protocols", change.protocols},
        {"sent_here", change.sent_here},
        {"carried", change.carried.mark.value},
        {"interfaces", array_of(change.interfaces, [](auto const& interface) { return json_of(interface); })},
    };
    auto macs = Json::array();
    bool others = false;
    bool none = false;
    for (auto const& source : change.sources) {
        if (source.kind == SourceClass::Kind::mac)
            macs.push_back(source.mac.str());
        others = others || source.kind == SourceClass::Kind::other;
        none = none || source.kind == SourceClass::Kind::none;
    }
    object["sources"] = {
        {"macs", macs}, {"others", others}, {"without", none}, {"named_macs", strings_of(change.macs)}};
    object["before"] = json_of(change.before);
    object["after"] = json_of(change.after);
    return object;
}

Json json_of(Change const& change) {
    return {{"subject", change.subject}, {"kind", to_string(change.kind)},    {"directors", change.directors},
            {"text", change.text},       {"connections", change.connections}, {"disruptive", change.disruptive}};
}

Json json_of(Hazard const& hazard) {
    auto const version = [](bool is_new) { return is_new ? "new" : "old"; };
    return {{"kind", to_string(hazard.kind)},
            {"from", hazard.from},
            {"from_site", version(hazard.from_new)},
            {"to", hazard.to},
            {"to_site", version(hazard.to_new)},
            {"service", hazard.service},
            {"detail", hazard.detail},
            {"text", sentence(hazard)}};
}

Json json_of(Rollout const& rollout) {
    auto const hazards = [](std::vector<Hazard> const& list) {
        return array_of(list, [](auto const& hazard) { return json_of(hazard); });
    };
    return {{"verdict", to_string(rollout.verdict)},
            {"order", rollout.order},
            {"knot", rollout.knot},
            {"avoided", hazards(rollout.avoided)},
            {"unavoidable", hazards(rollout.unavoidable)},
            {"standing", hazards(rollout.standing)}};
}

} // namespace

std::string diff_json(DiffReport const& report) {
    Json const object = {
        {"before", report.before},
        {"after", report.after},
        {"differs", !report.difference.empty()},
        {"disruptive", report.difference.disruptive()},
        {"changes", array_of(report.difference.changes, [](auto const& change) { return json_of(change); })},
        {"traffic", array_of(report.difference.traffic,
                             [](DirectorTraffic const& traffic) {
                                 return Json{{"director", traffic.director},
                                             {"packets", array_of(traffic.changes,
                                                                  [](auto const& change) { return json_of(change); })}};
                             })},
        {"rollout", report.rollout ? json_of(*report.rollout) : Json(nullptr)},
        {"writes",
         array_of(report.writes,
                  [](DirectorWrites const& writes) {
                      return Json{
                          {"director", writes.director},
                          {"marks", array_of(writes.marks, [](auto const& one) { return lbc::json_of(one); })},
                          {"services", array_of(writes.services, [](auto const& one) { return lbc::json_of(one); })}};
                  })},
    };
    return object.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

} // namespace lbc
