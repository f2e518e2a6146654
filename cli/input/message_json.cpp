#include "cli/input/message_json.hpp"

#include "backends/emit/json/json_text.hpp"

#include <nlohmann/json.hpp>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

Json place(Sources const& sources, Span span) {
    auto const& file = sources[span.file];
    auto const begin = file.position(span.begin);
    auto const end = file.position(span.end);
    return {{"file", file.name()},
            {"line", begin.line},
            {"column", begin.column},
            {"end_line", end.line},
            {"end_column", end.column}};
}

Json json_of(Sources const& sources, std::vector<Note> const& notes) {
    auto list = Json::array();
    for (auto const& note : notes) {
        auto& added = list.emplace_back(place(sources, note.span));
        added["message"] = note.message;
    }
    return list;
}

} // namespace

std::string message_json(Sources const& sources, Gathered const& gathered) {
    auto const& diagnostic = gathered.first;
    auto object = place(sources, diagnostic.span);
    object["severity"] = diagnostic.severity() == Severity::error ? "error" : "warning";
    object["id"] = info(diagnostic.id).slug;
    object["message"] = diagnostic.message;
    object["notes"] = json_of(sources, diagnostic.notes);
    auto& more = object["more"] = Json::array();
    for (auto const& other : gathered.more) {
        auto& added = more.emplace_back(place(sources, other.span));
        added["message"] = other.message;
        added["notes"] = json_of(sources, other.notes);
    }
    return json_text(object, -1) + '\n';
}

} // namespace lbc
