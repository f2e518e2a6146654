#include "backends/keepalived/parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lbc::keepalived {
namespace {

std::string_view block_name(Check::Kind kind) {
    switch (kind) {
    case Check::Kind::ping: return "PING_CHECK";
    case Check::Kind::tcp: return "TCP_CHECK";
    case Check::Kind::udp: return "UDP_CHECK";
    case Check::Kind::http: return "HTTP_GET";
    case Check::Kind::https: return "SSL_GET";
    case Check::Kind::smtp: return "SMTP_CHECK";
    case Check::Kind::dns: return "DNS_CHECK";
    case Check::Kind::script: return "MISC_CHECK";
    case Check::Kind::bfd: return "BFD_CHECK";
    case Check::Kind::file: return "FILE_CHECK";
    }
    return {};
}

using Lines = std::vector<Statement>;

void add_time(Lines& lines, std::string_view word, std::optional<Milliseconds> time) {
    if (time)
        lines.emplace_back(fmt::format("{} {}", word, seconds(*time)));
}

/// Where the check connects to, and from where.
void add_connection(Lines& lines, Checked const& checked, Check const& check) {
    auto const& [site, director, service, family, real, sessions] = checked;
    auto const vip = check.through_vip ? service.checked_vip(family) : std::nullopt;
    auto const to = vip ? *vip : check.connect.value_or(real.address);
    if (to != real.address)
        lines.emplace_back(fmt::format("connect_ip {}", to.str()));
    if (auto const port = port_of(service, real, check))
        lines.emplace_back(fmt::format("connect_port {}", port->value));
    // A `bind` address of the other family is for the check's connections of that family. Without an address of this
    // box, a connection to the VIP would come from the VIP.
    if (check.bind && check.bind->family() == to.family())
        lines.emplace_back(fmt::format("bindto {}", check.bind->str()));
    else if (auto const own = site[director].address(to.family()); vip && own)
        lines.emplace_back(fmt::format("bindto {}", own->str()));
    if (auto const mark = site.check_mark(family, real); vip && mark)
        lines.emplace_back(fmt::format("fwmark {}", mark->value));
}

void add_timing(Lines& lines, Check const& check) {
    if (check.kind == Check::Kind::script)
        add_time(lines, "misc_timeout", check.timeout);
    else
        add_time(lines, "connect_timeout", check.timeout);
    if (check.retries)
        lines.emplace_back(fmt::format("retry {}", *check.retries));
    add_time(lines, "delay_before_retry", check.retry_delay);
    add_time(lines, "warmup", check.warmup);
    add_time(lines, "delay_loop", check.every);
    if (check.alpha)
        lines.emplace_back("alpha");
}

Statement url(CheckPath const& path, std::string const& host) {
    Lines lines{fmt::format("path {}", in_quotes(path.path))};
    if (!path.digest.empty())
        lines.emplace_back(fmt::format("digest {}", path.digest));
    if (!path.status.empty()) {
        std::string line = "status_code";
        for (auto const& range : path.status)
            line += range.first == range.last ? fmt::format(" {}", range.first)
                                              : fmt::format(" {}-{}", range.first, range.last);
        lines.emplace_back(std::move(line));
    }
    if (!path.regex.empty())
        lines.emplace_back(fmt::format("regex {}", pattern(path.regex)));
    if (!host.empty())
        lines.emplace_back(fmt::format("virtualhost {}", in_quotes(host)));
    return {"url", std::move(lines)};
}

void add_web(Lines& lines, Check const& check) {
    if (!check.version.empty())
        lines.emplace_back(fmt::format("http_protocol {}", check.version));
    if (check.sni)
        lines.emplace_back("enable_sni");
    for (auto const& path : check.paths)
        lines.push_back(url(path, check.host));
}

void add_udp(Lines& lines, Check const& check) {
    if (!check.payload.empty())
        lines.emplace_back(fmt::format("payload {}", check.payload));
    if (check.reply)
        lines.emplace_back(check.reply->empty() ? "require_reply" : fmt::format("require_reply {}", *check.reply));
    if (check.reply_length) {
        lines.emplace_back(fmt::format("min_reply_length {}", check.reply_length->first));
        lines.emplace_back(fmt::format("max_reply_length {}", check.reply_length->second));
    }
}

void add_script(Lines& lines, Check const& check) {
    lines.emplace_back(fmt::format("misc_path {}", command(check.command.text)));
    if (check.dynamic)
        lines.emplace_back("misc_dynamic");
    if (!check.user.empty())
        lines.emplace_back(fmt::format("user {}", check.user));
}

} // namespace

std::string seconds(Milliseconds time) {
    auto const whole = time.count() / 1000;
    auto text = fmt::format("{}.{:03}", whole, time.count() % 1000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

std::string session_name(BfdSessions const& sessions, std::string const& name, IpAddress neighbour) {
    // The set is sorted by name: sessions of one name are adjacent.
    auto const own = sessions.find({name, neighbour});
    bool const is_first = own == sessions.begin() || std::prev(own)->first != name;
    bool const is_last = own == sessions.end() || std::next(own) == sessions.end() || std::next(own)->first != name;
    return is_first && is_last ? name : fmt::format("{}-{}", name, neighbour.str());
}

Statement checker(Checked const& checked, Check const& check) {
    Lines lines;
    if (check.kind == Check::Kind::bfd)
        lines.emplace_back(
            fmt::format("name {}", session_name(checked.sessions, check.instance, checked.real.address)));
    if (check.kind == Check::Kind::file) {
        lines.emplace_back(fmt::format("track_file {}", check.track));
        if (check.weight)
            lines.emplace_back(fmt::format("weight {}", *check.weight));
    }
    if (check.kind == Check::Kind::script)
        add_script(lines, check);
    else if (check.kind != Check::Kind::bfd && check.kind != Check::Kind::file)
        add_connection(lines, checked, check);
    if (check.kind != Check::Kind::bfd && check.kind != Check::Kind::file)
        add_timing(lines, check);
    if (check.kind == Check::Kind::udp)
        add_udp(lines, check);
    if (check.kind == Check::Kind::http || check.kind == Check::Kind::https)
        add_web(lines, check);
    if (check.kind == Check::Kind::smtp && !check.helo.empty())
        lines.emplace_back(fmt::format("helo_name {}", in_quotes(check.helo)));
    if (check.kind == Check::Kind::dns) {
        if (!check.type.empty())
            lines.emplace_back(fmt::format("type {}", check.type));
        lines.emplace_back(fmt::format("name {}", in_quotes(check.name)));
    }
    return {std::string(block_name(check.kind)), std::move(lines)};
}

} // namespace lbc::keepalived
