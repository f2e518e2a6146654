#include "backends/emit/json/objects.hpp"

namespace lbc::json {
namespace {

Json director(Context const& context, Director const& box) {
    return {
        {"name", box.name.value},           {"hostname", box.hostname},           {"macs", list(box.macs)},
        {"addresses", list(box.addresses)}, {"interfaces", list(box.interfaces)}, {"source", context.place(box.span)}};
}

Json check_path(CheckPath const& url) {
    auto const range = [](CheckPath::StatusRange const& status) {
        return Json{{"first", status.first}, {"last", status.last}};
    };
    Json object{{"path", url.path}, {"status", list(url.status, range)}};
    set(object, "digest", url.digest);
    set(object, "regex", url.regex);
    return object;
}

void set_check_options(Json& object, Check const& check) {
    set(object, "payload", check.payload);
    set(object, "reply", check.reply);
    if (check.reply_length)
        object["reply_length"] = {{"min", check.reply_length->first}, {"max", check.reply_length->second}};
    if (check.kind == Check::Kind::http || check.kind == Check::Kind::https) {
        object["paths"] = list(check.paths, check_path);
        set(object, "host", check.host);
        set(object, "version", check.version);
        object["sni"] = check.sni;
    }
    set(object, "helo", check.helo);
    set(object, "name", check.name);
    set(object, "type", check.type);
    set(object, "command", check.command.text);
    if (check.kind == Check::Kind::script)
        object["dynamic"] = check.dynamic;
    set(object, "user", check.user);
    set(object, "instance", check.instance);
    set(object, "track", check.track);
    set(object, "file", check.file);
    set(object, "weight", check.weight);
}

Json check_object(Context const& context, Check const& check) {
    Json object{{"kind", to_string(check.kind)}};
    set(object, "every_ms", check.every);
    set(object, "timeout_ms", check.timeout);
    set(object, "retries", check.retries);
    set(object, "retry_delay_ms", check.retry_delay);
    set(object, "warmup_ms", check.warmup);
    set(object, "port", check.port);
    set(object, "connect", check.connect);
    set(object, "bind", check.bind);
    object["alpha"] = check.alpha;
    object["through_vip"] = check.through_vip;
    set_check_options(object, check);
    object["source"] = context.place(check.span);
    return object;
}

Json checks(Context const& context, std::vector<Check> const& all) {
    return list(all, [&](Check const& check) { return check_object(context, check); });
}

/// The fields that a real server and a sorry server have in common.
template <typename Server>
Json server(Context const& context, Server const& box) {
    Json object{{"address", value(box.address)}};
    if (box.director)
        object["director"] = context.name(*box.director);
    set_nonzero(object, "port", box.port.value);
    object["forward"] = value(box.forwarding);
    return object;
}

Json real_server(Context const& context, RealServer const& real) {
    auto object = server(context, real);
    object["weight"] = real.weight;
    set_connections(object, real.connections_min, real.connections_max);
    object["checks"] = checks(context, real.checks);
    set(object, "notify_up", real.notify_up.get().text);
    set(object, "notify_down", real.notify_down.get().text);
    object["inhibit_on_failure"] = real.inhibit_on_failure;
    object["source"] = context.place(real.span);
    return object;
}

Json sorry_server(Context const& context, SorryServer const& sorry) {
    auto object = server(context, sorry);
    object["source"] = context.place(sorry.span);
    return object;
}

Json port_claim(PortClaim const& claim) {
    return {{"protocol", to_string(claim.protocol)}, {"ranges", list(claim.ports)}};
}

Json service_on(Context const& context, ServiceOn const& on) {
    return {{"director", context.name(on.director)},
            {"mark", value(on.mark)},
            {"allocated", on.allocated},
            {"source", context.place(on.span)}};
}

Json quorum_object(Context const& context, Quorum const& quorum) {
    Json object{{"count", quorum.count}, {"hysteresis", quorum.hysteresis}};
    set(object, "up", quorum.up.text);
    set(object, "down", quorum.down.text);
    object["source"] = context.place(quorum.span);
    return object;
}

Json service_object(Context const& context, Service const& service) {
    Json object{{"name", service.name.value}};
    set(object, "description", service.description);
    object["vips"] = list(service.vips);
    object["ports"] = list(service.ports, port_claim);
    object["on"] = list(service.on, [&](auto const& on) { return service_on(context, on); });
    object["interfaces"] = list(service.interfaces.get());
    object["bypass"] = list(service.bypass.get());
    object["local"] = service.local;
    object["scheduler"] = value(service.scheduler);
    object["forward"] = value(service.forwarding);
    if (service.persistence)
        object["persistent"] = value(*service.persistence);
    object["one_packet"] = service.one_packet;
    object["real_servers"] = list(service.reals, [&](auto const& real) { return real_server(context, real); });
    object["sorry_servers"] =
        list(service.sorry.get(), [&](auto const& sorry) { return sorry_server(context, sorry); });
    object["checks"] = checks(context, service.checks);
    if (service.quorum)
        object["quorum"] = quorum_object(context, *service.quorum);
    object["alpha"] = service.alpha;
    object["omega"] = service.omega;
    object["inhibit_on_failure"] = service.inhibit_on_failure;
    object["firewalled"] = service.firewalled;
    object["source"] = context.place(service.span);
    return object;
}

Json vrrp_vip(Context const& context, VrrpVip const& vip) {
    Json object{{"address", value(vip.address)}, {"length", vip.length}};
    set(object, "dev", vip.device);
    object["source"] = context.place(vip.span);
    return object;
}

Json track_script(TrackScript const& script) {
    Json object{{"command", script.command.text}};
    set(object, "weight", script.weight);
    set(object, "every_ms", script.every);
    return object;
}

Json unicast_addresses(Context const& context, Vrrp const& vrrp) {
    auto addresses = Json::array();
    for (auto const& [id, priority] : vrrp.priorities)
        if (auto const address = unicast_address(context.site, vrrp, id))
            addresses.push_back({{"director", context.name(id)}, {"address", value(*address)}});
    return addresses;
}

Json vrrp_object(Context const& context, Vrrp const& vrrp) {
    auto const priority = [&](auto const& of) {
        return Json{{"director", context.name(of.first)}, {"priority", of.second}};
    };
    Json object{{"name", vrrp.name.value},
                {"vips", list(vrrp.vips, [&](auto const& vip) { return vrrp_vip(context, vip); })},
                {"interface", vrrp.interface},
                {"router_id", vrrp.router_id},
                {"priorities", list(vrrp.priorities, priority)}};
    set(object, "advert_ms", vrrp.advert);
    object["preempt"] = vrrp.preempt;
    set(object, "preempt_delay_ms", vrrp.preempt_delay);
    object["unicast"] = vrrp.unicast;
    if (vrrp.unicast)
        object["unicast_addresses"] = unicast_addresses(context, vrrp);
    set(object, "auth", vrrp.auth);
    object["virtual_mac"] = vrrp.virtual_mac;
    object["track_interfaces"] = list(vrrp.track_interfaces);
    object["track_scripts"] = list(vrrp.track_scripts, track_script);
    set(object, "notify", vrrp.notify.text);
    set(object, "group", vrrp.group);
    object["source"] = context.place(vrrp.span);
    return object;
}

Json sync_object(Context const& context, Sync const& sync) {
    Json object{{"interface", sync.interface}, {"id", sync.id}};
    if (sync.instance)
        object["instance"] = context.site.vrrps[*sync.instance].name.value;
    if (sync.maxlen)
        object["maxlen"] = *sync.maxlen;
    set(object, "group", sync.group);
    set(object, "port", sync.port);
    if (sync.ttl)
        object["ttl"] = *sync.ttl;
    object["source"] = context.place(sync.span);
    return object;
}

} // namespace

Json site_object(Context const& context) {
    auto const& site = context.site;
    Json guard{{"mode", to_string(site.guard)}};
    set_nonzero(guard, "mark", site.guard_mark.value);
    Json object{{"ipvs", site.ipvs == IpvsOwner::lbc ? "lbc" : "keepalived"},
                {"marks", {{"first", value(site.marks.first)}, {"last", value(site.marks.last)}}},
                {"guard", std::move(guard)},
                {"directors", list(site.directors, [&](auto const& box) { return director(context, box); })},
                {"services", list(site.services, [&](auto const& one) { return service_object(context, one); })},
                {"vrrp", list(site.vrrps, [&](auto const& vrrp) { return vrrp_object(context, vrrp); })}};
    if (site.sync)
        object["sync"] = sync_object(context, *site.sync);
    return object;
}

} // namespace lbc::json
