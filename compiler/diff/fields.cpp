#include "compiler/diff/fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lbc {

std::string quoted(std::string_view text) {
    if (text.empty())
        return {};
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

std::string time_text(Milliseconds time) {
    return time.count() % 1000 == 0 ? fmt::format("{}s", time.count() / 1000) : fmt::format("{}ms", time.count());
}

namespace {

constexpr auto by_name = FieldText::Shown::name;

std::string text_of(std::string const& word) { return word; }
std::string text_of(bool on) { return on ? "on" : "off"; }
std::string text_of(Milliseconds time) { return time_text(time); }
std::string text_of(IpAddress const& address) { return address.str(); }
std::string text_of(Port port) { return std::to_string(port.value); }
template <typename Number>
    requires std::is_arithmetic_v<Number>
std::string text_of(Number number) {
    return std::to_string(number);
}
template <typename T>
std::string text_of(std::optional<T> const& value) {
    return value ? text_of(*value) : std::string();
}

std::string text_of(CheckPath const& url) {
    auto const& [path, status, digest, regex] = url;
    auto text = quoted(path);
    std::vector<std::string> ranges;
    for (auto const& [first, last] : status)
        ranges.push_back(first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last));
    if (!ranges.empty())
        text += fmt::format(" status {}", fmt::join(ranges, ", "));
    if (!digest.empty())
        text += fmt::format(" digest {}", quoted(digest));
    if (!regex.empty())
        text += fmt::format(" regex {}", quoted(regex));
    return text;
}

std::string text_of(std::vector<CheckPath> const& urls) {
    std::vector<std::string> texts;
    for (auto const& url : urls)
        texts.push_back(text_of(url));
    return fmt::format("{}", fmt::join(texts, " path "));
}

} // namespace

FieldTexts fields_of(Check const& check) {
    auto const& [kind, span, every, timeout, retries, retry_delay, warmup, port, connect, bind, alpha, through_vip,
                 payload, reply, reply_length, paths, host, version, sni, helo, name, type, command, dynamic, user,
                 instance, track, file, weight] = check;
    return {
        {"every", text_of(every)},
        {"timeout", text_of(timeout)},
        {"retries", text_of(retries)},
        {"retry-delay", text_of(retry_delay)},
        {"warmup", text_of(warmup)},
        {"port", text_of(port)},
        {"connect", text_of(connect)},
        {"bind", text_of(bind)},
        {"alpha", text_of(alpha)},
        {"through-vip", text_of(through_vip)},
        {"payload", text_of(payload)},
        {"reply", reply && reply->empty() ? "any" : text_of(reply)},
        {"reply-length", reply_length ? fmt::format("{}-{}", reply_length->first, reply_length->second) : ""},
        {"path", text_of(paths)},
        {"host", quoted(host)},
        {"version", text_of(version)},
        {"sni", text_of(sni)},
        {"helo", quoted(helo)},
        {"name", quoted(name)},
        {"type", text_of(type)},
        {"command", command.text, by_name},
        {"dynamic", text_of(dynamic)},
        {"user", text_of(user)},
        {"instance", text_of(instance)},
        {"track", text_of(track)},
        {"file", quoted(file)},
        {"weight", text_of(weight)},
    };
}

FieldTexts fields_of(std::optional<Quorum> const& quorum) {
    if (!quorum)
        return {};
    auto const& [count, hysteresis, up, down, span] = *quorum;
    return {{"quorum", text_of(count)},
            {"hysteresis", hysteresis == 0 ? "" : text_of(hysteresis)},
            {"quorum-up", up.text, by_name},
            {"quorum-down", down.text, by_name}};
}

FieldTexts fields_of(Sync const& sync, Site const& site) {
    auto const& [interface, id, instance, maxlen, group, port, ttl, span] = sync;
    return {{"interface", interface},
            {"id", text_of(id)},
            {"instance", instance ? site.vrrps[*instance].name.value : ""},
            {"maxlen", text_of(maxlen)},
            {"group", text_of(group)},
            {"port", text_of(port)},
            {"ttl", text_of(ttl)}};
}

FieldTexts fields_of(Service const& service) {
    auto const& [name, description, vips, ports, on, interfaces, bypass, scheduler, persistence, reals, sorry, checks,
                 quorum, forwarding, local, one_packet, alpha, omega, inhibit_on_failure, firewalled, incomplete,
                 span] = service;
    // `forward` appears with each real server.
    return {{"alpha", text_of(alpha)},
            {"omega", text_of(omega)},
            {"inhibit-on-failure", text_of(inhibit_on_failure)},
            {"firewalled", text_of(firewalled)}};
}

FieldTexts fields_of(RealServer const& real) {
    auto const& [address, director, port, weight, forwarding, inhibit_on_failure, connections_min, connections_max,
                 span, checks, notify_up, notify_down] = real;
    return {{"inhibit-on-failure", text_of(inhibit_on_failure)},
            {"notify-up", notify_up.get().text, by_name},
            {"notify-down", notify_down.get().text, by_name}};
}

FieldTexts fields_of(Vrrp const& vrrp) {
    auto const& [name, vips, interface, router_id, priorities, advert, preempt, preempt_delay, unicast,
                 unicast_addresses, auth, virtual_mac, track_interfaces, track_scripts, notify, group, span] = vrrp;
    FieldTexts fields{{"advert", text_of(advert)},
                      {"nopreempt", text_of(!preempt)},
                      {"preempt-delay", text_of(preempt_delay)},
                      {"virtual-mac", text_of(virtual_mac)},
                      {"track interface", fmt::format("{}", fmt::join(track_interfaces, ", "))},
                      {"notify", notify.text, by_name},
                      {"group", group}};
    for (std::size_t i = 0; i < track_scripts.size(); ++i) {
        auto const& [command, weight, every] = track_scripts[i];
        auto const script = fmt::format("track script {}", i + 1);
        fields.push_back({script, command.text, by_name});
        fields.push_back({script + " weight", text_of(weight)});
        fields.push_back({script + " every", text_of(every)});
    }
    return fields;
}

FieldTexts fields_of(Director const& director) {
    auto const& [name, macs, addresses, interfaces, hostname, span, incomplete] = director;
    return {{"hostname", hostname}};
}

std::string changed_fields(FieldTexts const& before, FieldTexts const& after) {
    auto const find = [](FieldTexts const& fields, std::string const& name) {
        auto const found = std::ranges::find(fields, name, &FieldText::name);
        return found == fields.end() ? std::string() : found->text;
    };
    std::vector<std::string> parts;
    auto const compare = [&](FieldText const& field, std::string const& from, std::string const& to) {
        if (from == to)
            return;
        auto const value = [](std::string const& text) { return text.empty() ? std::string_view("unset") : text; };
        if (field.shown == by_name)
            parts.push_back(field.name + (from.empty() ? " added" : to.empty() ? " removed" : " changed"));
        else
            parts.push_back(fmt::format("{} {} to {}", field.name, value(from), value(to)));
    };
    for (auto const& field : after)
        compare(field, find(before, field.name), field.text);
    for (auto const& field : before)
        if (std::ranges::find(after, field.name, &FieldText::name) == after.end())
            compare(field, field.text, {});
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string set_fields(FieldTexts const& fields, FieldTexts const& usual) {
    std::vector<std::string> parts;
    for (auto const& field : fields) {
        auto const same = std::ranges::find(usual, field.name, &FieldText::name);
        if (field.text.empty() || (same != usual.end() && same->text == field.text))
            continue;
        parts.push_back(field.shown == by_name ? field.name : fmt::format("{} {}", field.name, field.text));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

} // namespace lbc
