#include "backends/emit/json/json.hpp"

#include "backends/emit/json/json_text.hpp"
#include "backends/emit/json/objects.hpp"

#include <iterator>

namespace lbc {
namespace json {
namespace {

std::string_view to_string(Forwarding::Method method) {
    switch (method) {
    case Forwarding::Method::dr: return "dr";
    case Forwarding::Method::nat: return "nat";
    case Forwarding::Method::tun: return "tun";
    }
    return {};
}

std::string_view to_string(Forwarding::Tunnel tunnel) {
    switch (tunnel) {
    case Forwarding::Tunnel::ipip: return "ipip";
    case Forwarding::Tunnel::gre: return "gre";
    case Forwarding::Tunnel::gue: return "gue";
    }
    return {};
}

std::string_view to_string(Forwarding::Checksum checksum) {
    switch (checksum) {
    case Forwarding::Checksum::none: return "none";
    case Forwarding::Checksum::csum: return "csum";
    case Forwarding::Checksum::remcsum: return "remcsum";
    }
    return {};
}

Json mark_class(Context const& context, MarkClass const& packets) {
    return {{"service", context.site.services[packets.service].name.value},
            {"family", lbc::to_string(packets.family())},
            {"destination", value(packets.destination)},
            {"protocol", lbc::to_string(packets.protocol)},
            {"ports", list(packets.ports)},
            {"interfaces", list(packets.interfaces)},
            {"bypass", list(packets.bypass)},
            {"ethernet_only", packets.ethernet_only},
            {"from_director", packets.from_director},
            {"mark", value(packets.mark)}};
}

Json tunnel_end(TunnelEnd const& end) {
    Json object{{"address", value(end.address)}, {"protocol", end.protocol}};
    set(object, "port", end.port);
    return object;
}

Json mark_table(Context const& context, MarkTable const& table) {
    Json object{{"classes", list(table.classes, [&](auto const& packets) { return mark_class(context, packets); })},
                {"peers", list(table.peers)}};
    if (table.guard)
        object["guard"] = {{"mode", lbc::to_string(table.guard->mode)},
                           {"mark", value(table.guard->mark)},
                           {"tunnels", list(table.guard->tunnels, tunnel_end)}};
    return object;
}

Json destination(Context const& context, Destination const& real) {
    Json object{{"address", value(real.address)}};
    set_nonzero(object, "port", real.port.value);
    object["weight"] = real.weight;
    object["forward"] = value(real.forwarding);
    set_connections(object, real.connections_min, real.connections_max);
    object["source"] = context.place(real.span);
    return object;
}

Json virtual_service(Context const& context, VirtualService const& service) {
    Json object{{"service", context.site.services[service.service].name.value},
                {"mark", value(service.mark)},
                {"family", lbc::to_string(service.family)},
                {"scheduler", value(service.scheduler)}};
    set(object, "persistent", service.persistence);
    object["one_packet"] = service.one_packet;
    object["real_servers"] = list(service.reals, [&](auto const& real) { return destination(context, real); });
    object["source"] = context.place(service.span);
    return object;
}

Json ruleset(Ruleset const& rules) {
    auto const text = [](Rule const& rule) { return Json(lbc::to_string(rule)); };
    auto const chain = [&](Chain const& own) { return Json{{"name", own.name}, {"rules", list(own.rules, text)}}; };
    auto const hook = [&](EntryJump const& from) { return Json{{"chain", from.builtin}, {"rule", text(from.rule)}}; };
    return {{"family", lbc::to_string(rules.family)},
            {"chains", list(rules.chains, chain)},
            {"hooks", list(rules.entry_jumps, hook)}};
}

} // namespace

Json Context::place(Span span) const {
    auto const position = sources.position(span);
    return {{"file", sources.name_in_site(span.file)}, {"line", position.line}, {"column", position.column}};
}

Json value(Forwarding const& forwarding) {
    Json object{{"method", to_string(forwarding.method)}};
    if (forwarding.method != Forwarding::Method::tun)
        return object;
    object["tunnel"] = to_string(forwarding.tunnel);
    if (forwarding.tunnel == Forwarding::Tunnel::gue)
        object["port"] = value(forwarding.gue_port);
    if (forwarding.tunnel != Forwarding::Tunnel::ipip)
        object["checksum"] = to_string(forwarding.checksum);
    return object;
}

Json value(Persistence const& persistence) {
    Json object{{"timeout_s", persistence.timeout.count()}};
    if (persistence.netmask >= 0)
        object["netmask"] = persistence.netmask;
    set(object, "engine", persistence.engine);
    return object;
}

Json value(Scheduler const& scheduler) { return {{"name", scheduler.name}, {"flags", list(scheduler.flags.get())}}; }

Json value(PortRange const& range) { return {{"first", value(range.first)}, {"last", value(range.last)}}; }

void set_connections(Json& object, std::uint32_t min, std::uint32_t max) {
    if (min == 0 && max == 0)
        return;
    auto& limits = object["connections"] = Json::object();
    set_nonzero(limits, "min", min);
    set_nonzero(limits, "max", max);
}

Json check_service(VirtualService const& check) {
    auto const& real = check.reals.front();
    return {{"mark", check.mark.value},
            {"family", to_string(check.family)},
            {"real", real.address.str()},
            {"forward", value(real.forwarding)}};
}

Json plan_object(Context const& context, Plan const& plan, Layout layout) {
    auto rulesets = Json::array();
    for (auto const family : families)
        if (auto const rules = layout(context.site, plan.marks, family); !rules.empty())
            rulesets.push_back(ruleset(rules));
    return {{"director", context.name(plan.director)},
            {"backup_only", plan.backup_only},
            {"marks", mark_table(context, plan.marks)},
            {"virtual_services",
             list(plan.services, [&](auto const& service) { return virtual_service(context, service); })},
            {"check_services", list(plan.checks, check_service)},
            {"rulesets", std::move(rulesets)}};
}

} // namespace json

std::string json_text(Site const& site, Sources const& sources, std::span<Plan const> plans, Layout layout) {
    json::Context const context{site, sources};
    auto plan_list = json::Json::array();
    for (auto const& plan : plans)
        plan_list.push_back(json::plan_object(context, plan, layout));
    json::Json const document{{"format", 1}, {"site", json::site_object(context)}, {"plans", std::move(plan_list)}};
    return json_text(document, 2) + '\n';
}

} // namespace lbc
