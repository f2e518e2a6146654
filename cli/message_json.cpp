#include "cli/message_json.hpp"

#include "backends/json/json_text.hpp"

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

} // namespace

std::string message_json(Sources const& sources, Diagnostic const& diagnostic) {
    auto object = place(sources, diagnostic.span);
    object["severity"] = diagnostic.severity() == Severity::error ? "error" : "warning";
    object["id"] = info(diagnostic.id).slug;
    object["message"] = diagnostic.message;
    auto& notes = object["notes"] = Json::array();
    for (auto const& note : diagnostic.notes) {
        auto& added = notes.emplace_back(place(sources, note.span));
        added["message"] = note.message;
    }
    return json_text(object, -1) + '\n';
}

} // namespace lbc
