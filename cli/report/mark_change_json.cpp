#include "cli/report/mark_change_json.hpp"

#include "cli/report/json_list.hpp"

#include <nlohmann/json.hpp>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json strings_of(std::vector<T> const& list) {
    return array_of(list, [](auto const& item) { return item.str(); });
}

Json json_of(InterfaceClass const& interface) {
    if (!interface.pattern)
        return {{"name", interface.name}};
    return {{"pattern", interface.pattern->str()}, {"except", strings_of(interface.except)}};
}

/// The protocol is null for those that no rule names.
Json json_of(ProtocolPorts const& ports) {
    return {{"protocol", ports.protocol ? Json(*ports.protocol) : Json(nullptr)},
            {"ranges", array_of(ports.ports,
                                [](auto const& range) { return Json::array({range.first.value, range.last.value}); })}};
}

} // namespace

Json json_of(Outcome const& outcome) {
    Json object = {{"mark", outcome.mark.value}, {"dropped", outcome.dropped}, {"unknown", outcome.unknown}};
    if (outcome.open != 0)
        object["unknown_bits"] = outcome.open;
    if (outcome.readdressed)
        object["readdressed"] = true;
    return object;
}

Json json_of(MarkChange const& change) {
    Json object = {
        {"family", to_string(change.destination.prefix.family())},
        {"destination", change.destination.prefix.str()},
        {"except", strings_of(change.destination.except)},
        {"ports", array_of(change.ports, [](auto const& ports) { return json_of(ports); })},
        {"named_protocols", change.protocols},
        {"sent_here", change.sent_here},
        {"carried", change.carried.value},
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

Json json_of(Packet const& packet) {
    Json object = {{"destination", packet.destination.str()},
                   {"protocol", packet.protocol},
                   {"port", packet.port.value},
                   {"interface", packet.interface.empty() ? Json(nullptr) : Json(packet.interface)},
                   {"source_mac", packet.source ? Json(packet.source->str()) : Json(nullptr)},
                   {"mark", packet.mark.value}};
    if (packet.connection == Packet::Connection::first)
        object["first_of_connection"] = true;
    return object;
}

} // namespace lbc
