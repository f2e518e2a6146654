#include "cli/report/status_view.hpp"

#include "backends/emit/json/json_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

std::string method_of(IpvsReal const& real) { return real.local ? "local" : to_string(real.server.forwarding); }

/// 1234567 as "1.2M": at most three digits of a number, for a narrow column.
std::string short_number(std::uint64_t value) {
    constexpr std::string_view units = "kMGTPE";
    if (value < 10'000)
        return fmt::format("{}", value);
    auto scaled = static_cast<double>(value) / 1000;
    std::size_t unit = 0;
    for (; scaled >= 999.5 && unit + 1 < units.size(); ++unit)
        scaled /= 1000;
    return fmt::format("{:.{}f}{}", scaled, scaled < 99.95 ? 1 : 0, units[unit]);
}

using Row = std::array<std::string, 10>;

void add_counters(Row& row, IpvsCounters const& counters) {
    row[5] = short_number(counters.connections);
    row[6] = short_number(counters.connection_rate);
    row[7] = short_number(counters.packet_rate_in);
    row[8] = short_number(counters.byte_rate_in);
}

Row row_of(ComparedService const& view) {
    Row row;
    row[0] = fmt::format("{} {} {}", view.name.empty() ? "(not in the site)" : view.name, view.service.key.mark.str(),
                         title(view.service.key.family));
    row[1] = view.service.parameters.scheduler;
    row[9] = to_string(view.presence);
    if (view.presence == Presence::missing)
        return row;
    std::uint64_t active = 0;
    std::uint64_t inactive = 0;
    for (auto const& real : view.service.reals) {
        active += real.active;
        inactive += real.inactive;
    }
    row[3] = short_number(active);
    row[4] = short_number(inactive);
    add_counters(row, view.service.counters);
    return row;
}

Row row_of(ComparedReal const& view) {
    Row row;
    row[0] = fmt::format("  {}{}{}", view.real.server.name(), view.director.empty() ? "" : " ", view.director);
    row[1] = method_of(view.real);
    row[2] = fmt::format("{}", view.real.server.weight);
    if (view.site_weight && *view.site_weight != view.real.server.weight)
        row[2] += fmt::format(" (site: {})", *view.site_weight);
    row[9] = to_string(view.presence);
    if (!view.is_there)
        return row;
    row[3] = short_number(view.real.active);
    row[4] = short_number(view.real.inactive);
    add_counters(row, view.real.counters);
    return row;
}

std::string_view colour_of(std::string_view state) {
    if (state == "ok")
        return "\x1b[32m";
    return state == "differs" || state == "extra" ? "\x1b[33m" : "\x1b[31m";
}

std::string painted(std::string_view state, bool colour) {
    return fmt::format("{}{}{}", colour ? colour_of(state) : "", state, colour ? "\x1b[0m" : "");
}

std::string table(std::span<Row const> rows, bool colour) {
    std::array<std::size_t, std::tuple_size_v<Row>> widths{};
    for (auto const& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (auto const& row : rows) {
        text += fmt::format("{:<{}}  {:<{}}", row[0], widths[0], row[1], widths[1]);
        for (std::size_t i = 2; i + 1 < row.size(); ++i)
            text += fmt::format("  {:>{}}", row[i], widths[i]);
        text += fmt::format("  {}\n", painted(row.back(), colour && &row != &rows.front()));
    }
    return text;
}

std::string summary(StatusView const& view) {
    auto const counted = [](std::size_t count, std::string_view what) {
        return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
    };
    auto text = view.director;
    if (view.has_services)
        text += fmt::format(": {}, {}", counted(view.services.size(), "virtual service"),
                            counted(view.reals(), "real server"));
    auto const differences = view.differences();
    auto const problems = view.problems();
    std::string_view separator = view.has_services ? "; " : ": ";
    if (differences > 0) {
        text += fmt::format("{}{} from the site; `lbc apply` fixes {}", separator, counted(differences, "difference"),
                            differences == 1 ? "it" : "them");
        separator = "; ";
    }
    if (problems > 0)
        text += fmt::format("{}{} that `lbc apply` does not fix, see above", separator, counted(problems, "problem"));
    if (differences + problems == 0)
        text += fmt::format("{}{}", view.has_services ? ", " : ": ",
                            view.around.marks ? "as the site says"
                                              : "no difference; whether packets get the site's marks is unknown here: "
                                                "`lbc verify` proves it");
    return text + '\n';
}

Json json_of(IpvsCounters const& counters) {
    return {{"connections", counters.connections},
            {"packets_in", counters.packets_in},
            {"packets_out", counters.packets_out},
            {"bytes_in", counters.bytes_in},
            {"bytes_out", counters.bytes_out},
            {"connections_per_second", counters.connection_rate},
            {"packets_in_per_second", counters.packet_rate_in},
            {"packets_out_per_second", counters.packet_rate_out},
            {"bytes_in_per_second", counters.byte_rate_in},
            {"bytes_out_per_second", counters.byte_rate_out}};
}

Json json_of(ComparedReal const& view) {
    auto const& real = view.real;
    Json object = {
        {"state", to_string(view.presence)}, {"address", real.server.address.str()}, {"port", real.server.port.value}};
    if (!view.director.empty())
        object["director"] = view.director;
    object["method"] = method_of(real);
    object["weight"] = real.server.weight;
    if (view.site_weight)
        object["site_weight"] = *view.site_weight;
    object["active"] = real.active;
    object["inactive"] = real.inactive;
    object["persistent"] = real.persistent;
    object["counters"] = json_of(real.counters);
    return object;
}

Json json_of(ComparedService const& view) {
    Json object = {{"state", to_string(view.presence)}};
    if (!view.name.empty())
        object["service"] = view.name;
    object["down"] = view.is_down();
    object["family"] = to_string(view.service.key.family);
    object["mark"] = view.service.key.mark.value;
    object["scheduler"] = view.service.parameters.scheduler;
    object["counters"] = json_of(view.service.counters);
    auto& reals = object["reals"] = Json::array();
    for (auto const& real : view.reals)
        reals.push_back(json_of(real));
    return object;
}

std::string_view role_name(SyncDaemon::Role role) { return role == SyncDaemon::Role::master ? "master" : "backup"; }

/// Prometheus's labels of a service, without braces. No value has a character that needs an escape: names are the
/// language's, the rest is numbers and addresses.
std::string labels(StatusView const& view, ComparedService const& service) {
    return fmt::format(R"(director="{}",service="{}",family="{}",mark="{}")", view.director, service.name,
                       to_string(service.service.key.family), service.service.key.mark.str());
}

std::string labels(StatusView const& view, ComparedService const& service, ComparedReal const& real) {
    return fmt::format(R"({},real="{}",port="{}")", labels(view, service), real.real.server.address.str(),
                       real.real.server.port.value);
}

struct Metric {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    std::uint64_t (*value)(ComparedReal const&);
};

constexpr std::array metrics{
    Metric{"weight", "gauge", "Weight of a real server.",
           [](ComparedReal const& v) -> std::uint64_t { return v.real.server.weight; }},
    Metric{"active_connections", "gauge", "Established connections.",
           [](ComparedReal const& v) -> std::uint64_t { return v.real.active; }},
    Metric{"inactive_connections", "gauge", "Connections in any other state.",
           [](ComparedReal const& v) -> std::uint64_t { return v.real.inactive; }},
    Metric{"connections_total", "counter", "Connections scheduled.",
           [](ComparedReal const& v) { return v.real.counters.connections; }},
    Metric{"packets_in_total", "counter", "Packets from clients.",
           [](ComparedReal const& v) { return v.real.counters.packets_in; }},
    Metric{"bytes_in_total", "counter", "Bytes from clients.",
           [](ComparedReal const& v) { return v.real.counters.bytes_in; }},
    Metric{"packets_out_total", "counter", "Packets to clients that pass the director.",
           [](ComparedReal const& v) { return v.real.counters.packets_out; }},
    Metric{"bytes_out_total", "counter", "Bytes to clients that pass the director.",
           [](ComparedReal const& v) { return v.real.counters.bytes_out; }},
};

std::string head(std::string_view name, std::string_view type, std::string_view help) {
    return fmt::format("# HELP lbc_{0} {2}\n# TYPE lbc_{0} {1}\n", name, type, help);
}

} // namespace

std::string status_text(StatusView const& view, bool colour) {
    std::vector<Row> rows{
        {"SERVICE", "METHOD", "WEIGHT", "ACTIVE", "INACTIVE", "TOTAL", "CONN/S", "PKT/S", "BYTE/S", "STATE"}};
    for (auto const& service : view.services) {
        rows.push_back(row_of(service));
        for (auto const& real : service.reals)
            rows.push_back(row_of(real));
    }
    auto text = view.services.empty() ? std::string() : table(rows, colour);
    for (auto const& service : view.services)
        if (service.is_down())
            text += fmt::format("{} ({}): {}, no real server is up, and IPVS drops its packets\n", service.name,
                                title(service.service.key.family), painted(to_string(Presence::down), colour));
    for (auto const& marks : view.marks)
        text +=
            fmt::format("{}: rules {}, {}{}{}\n", marks.title, marks.rules, painted(to_string(marks.presence), colour),
                        marks.layout.empty() ? "" : ", layout ", marks.layout);
    for (auto const& daemon : view.daemons)
        text += fmt::format("sync daemon: {} on {}, id {}\n", role_name(daemon.role), daemon.interface, daemon.id);
    if (view.daemons_differ)
        text += fmt::format("sync daemons: {}\n", painted(to_string(Presence::differs), colour));
    for (auto const& setting : view.settings)
        text += setting.differs()
                    ? fmt::format("{}: {} (site: {})\n", title(setting.sysctl), setting.value, setting.site_value)
                    : fmt::format("{}: {}\n", title(setting.sysctl), setting.value);
    return text + around_text(view.around, view.director) + summary(view);
}

std::string status_json(StatusView const& view) {
    Json object = {
        {"director", view.director}, {"differences", view.differences()}, {"daemons_differ", view.daemons_differ},
        {"settings", Json::array()}, {"daemons", Json::array()},          {"marks", Json::array()},
        {"services", Json::array()}};
    for (auto const& daemon : view.daemons)
        object["daemons"].push_back(
            {{"role", role_name(daemon.role)}, {"interface", daemon.interface}, {"id", daemon.id}});
    for (auto const& setting : view.settings)
        object["settings"].push_back(
            {{"name", title(setting.sysctl)}, {"value", setting.value}, {"site_value", setting.site_value}});
    for (auto const& marks : view.marks)
        object["marks"].push_back({{"family", marks.family ? to_string(*marks.family) : "inet"},
                                   {"table", marks.table},
                                   {"rules", marks.rules},
                                   {"state", to_string(marks.presence)},
                                   {"layout", marks.layout.empty() ? Json("auto") : Json(marks.layout)}});
    for (auto const& service : view.services)
        object["services"].push_back(json_of(service));
    object["problems"] = view.problems();
    add_around(object, view.around);
    return json_text(object, 2) + '\n';
}

std::string status_prometheus(StatusView const& view) {
    auto text =
        head("differences", "gauge", "What lbc apply would change: mangle tables, services, real servers, settings.");
    text += fmt::format("lbc_differences{{director=\"{}\"}} {}\n", view.director, view.differences());
    text += head("service_present", "gauge", "Whether the kernel has the virtual service.");
    for (auto const& service : view.services)
        text += fmt::format("lbc_service_present{{{}}} {}\n", labels(view, service),
                            service.presence == Presence::missing ? 0 : 1);
    text += head("service_up", "gauge", "Whether health checks have left the service a server.");
    for (auto const& service : view.services)
        text += fmt::format("lbc_service_up{{{}}} {}\n", labels(view, service),
                            service.presence == Presence::missing || service.is_down() ? 0 : 1);
    text += head("real_present", "gauge", "Whether the kernel has the real server.");
    for (auto const& service : view.services)
        for (auto const& real : service.reals)
            text += fmt::format("lbc_real_present{{{}}} {}\n", labels(view, service, real), real.is_there ? 1 : 0);
    for (auto const& metric : metrics) {
        text += head(fmt::format("real_{}", metric.name), metric.type, metric.help);
        for (auto const& service : view.services)
            for (auto const& real : service.reals)
                if (real.is_there)
                    text += fmt::format("lbc_real_{}{{{}}} {}\n", metric.name, labels(view, service, real),
                                        metric.value(real));
    }
    return text + around_prometheus(view.around, view.director);
}

} // namespace lbc
