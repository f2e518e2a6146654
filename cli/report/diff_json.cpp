#include "backends/emit/json/json_text.hpp"
#include "cli/report/config_lines.hpp"
#include "cli/report/diff_output.hpp"
#include "cli/report/json_list.hpp"
#include "cli/report/mark_change_json.hpp"
#include "cli/report/write_lines.hpp"

#include <nlohmann/json.hpp>

#include <ranges>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

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

Json json_of(Rollout const& rollout, Remedy const& remedy) {
    auto const hazards = [](std::vector<Hazard> const& list) {
        return array_of(list, [](auto const& hazard) { return json_of(hazard); });
    };
    return {
        {"verdict", to_string(rollout.verdict)},
        {"order", rollout.order},
        {"knot", rollout.cycle},
        {"steps", array_of(remedy.steps,
                           [](RolloutStep const& step) { return Json{{"site", step.site}, {"order", step.order}}; })},
        {"remedy", remedy.steps.empty() && remedy.otherwise.empty() ? "" : sentence(remedy)},
        {"avoided", hazards(rollout.avoided)},
        {"unavoidable", hazards(rollout.unavoidable)},
        {"standing", hazards(rollout.standing)},
        {"vrrp", rollout.vrrp}};
}

} // namespace

std::string diff_json(DiffReport const& report) {
    Json const object = {
        {"before", report.before},
        {"after", report.after},
        {"differs", !report.difference.empty()},
        {"disruptive", report.difference.disruptive()},
        {"runs", array_of(report.difference.runs, [](auto const& change) { return lbc::json_of(change); })},
        {"changes", array_of(report.difference.changes, [](auto const& change) { return json_of(change); })},
        {"traffic", array_of(report.difference.traffic,
                             [](DirectorTraffic const& traffic) {
                                 return Json{{"director", traffic.director},
                                             {"packets", array_of(traffic.changes,
                                                                  [](auto const& change) { return json_of(change); })}};
                             })},
        {"beforehand", array_of(report.beforehand,
                                [](Beforehand const& one) {
                                    return Json{
                                        {"kind", to_string(one.kind)}, {"hosts", one.hosts}, {"text", sentence(one)}};
                                })},
        {"rollout", report.rollout ? json_of(*report.rollout, report.remedy.value_or(Remedy{})) : Json(nullptr)},
        {"writes", array_of(report.writes,
                            [](DirectorWrites const& writes) {
                                auto marks = array_of(writes.marks, [](auto const& one) { return lbc::json_of(one); });
                                if (writes.nft)
                                    marks.push_back(lbc::json_of(*writes.nft));
                                Json item{{"director", writes.director},
                                          {"marks", std::move(marks)},
                                          {"services", array_of(writes.services,
                                                                [](auto const& one) { return lbc::json_of(one); })}};
                                if (writes.keepalived)
                                    item["keepalived"] = lbc::json_of(*writes.keepalived);
                                return item;
                            })},
    };
    return json_text(object, 2) + '\n';
}

} // namespace lbc
