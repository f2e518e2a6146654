#include "cli/report/status_around.hpp"

#include "backends/apply/keepalived_step.hpp"
#include "compiler/analysis/wording.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace lbc {
namespace {

using Json = nlohmann::ordered_json;

std::string_view text_of(KeepalivedView const& view) {
    if (!view.unknown.empty())
        return view.unknown;
    if (!view.runs)
        return "does not run, so no service is there: start it";
    return view.has_site_file ? "runs" : "runs with a configuration that is not the site's";
}

std::string gauge(std::string_view name, std::string_view help, std::string_view labels, std::size_t value) {
    return fmt::format("# HELP lbc_{0} {1}\n# TYPE lbc_{0} gauge\nlbc_{0}{{{2}}} {3}\n", name, help, labels, value);
}

} // namespace

std::size_t StatusAround::problems(bool rules_differ) const {
    std::size_t count = machine.found.size() + (machine.unknown.empty() ? 0 : 1) + conflicts.size();
    if (marks && !marks->holds())
        count += rules_differ && marks->by_others == 0 && marks->unreadable.empty() ? 0 : 1;
    if (keepalived)
        count += keepalived->runs ? 0 : 1;
    count += is_held_by_keepalived ? 1 : 0;
    return count;
}

std::vector<VipView> vips_here(Site const& site, DirectorId director, std::vector<Interface> const& interfaces) {
    std::vector<VipView> views;
    std::set<IpAddress> seen;
    for (auto const& service : site.services)
        if (service.on_director(director) != nullptr)
            for (auto const& vip : service.vips)
                if (vip.value.is_host() && seen.insert(vip.value.address).second)
                    views.push_back({vip.value.address, {}});
    for (auto& view : views)
        for (auto const& interface : interfaces)
            if (view.interface.empty() && interface.name != "lo" &&
                std::ranges::find(interface.addresses, view.address, &InterfaceAddress::address) !=
                    interface.addresses.end())
                view.interface = interface.name;
    return views;
}

std::string around_text(StatusAround const& around, std::string_view director) {
    std::string text;
    if (around.keepalived)
        text += fmt::format("keepalived: {}\n", text_of(*around.keepalived));
    if (around.is_held_by_keepalived)
        text += fmt::format("{}\n", keepalived_holds_them);
    std::vector<std::string> held;
    std::vector<std::string> missing;
    for (auto const& vip : around.vips)
        if (vip.interface.empty())
            missing.push_back(vip.address.str());
        else
            held.push_back(fmt::format("{} on {}", vip.address.str(), vip.interface));
    if (!held.empty())
        text += fmt::format("VIPs of this box: {}\n", list_of(held));
    if (!missing.empty())
        text += fmt::format("VIPs of no interface of this box: {}\n", list_of(missing));
    for (auto const& [service, by_address] : around.conflicts)
        text += fmt::format("{}: IPVS has a service by address, {}/{}, which takes what the site leaves alone\n",
                            service, endpoint(by_address.address, by_address.port), protocol_name(by_address.protocol));
    if (around.marks && !around.marks->holds()) {
        text += fmt::format("marks of packets: {}, see `lbc verify`\n", around.marks->title());
        for (auto const& line : around.marks->lines)
            text += fmt::format("  {}\n", line);
    }
    if (auto const lines = machine_lines(around.machine); !lines.empty())
        text += fmt::format("this machine is not what the file says of {}:\n{}", director, lines);
    return printable_lines(text);
}

void add_around(Json& object, StatusAround const& around) {
    object["machine"] = machine_json(around.machine);
    object["marks_of_packets"] = around.marks ? json_of(*around.marks) : Json(nullptr);
    auto& conflicts = object["services_by_address"] = Json::array();
    for (auto const& [service, by_address] : around.conflicts)
        conflicts.push_back({{"service", service},
                             {"protocol", by_address.protocol},
                             {"address", by_address.address.str()},
                             {"port", by_address.port.value}});
    auto& keepalived = object["keepalived"] = nullptr;
    if (around.keepalived)
        keepalived = {{"runs", around.keepalived->unknown.empty() ? Json(around.keepalived->runs) : Json(nullptr)},
                      {"has_site_file", around.keepalived->has_site_file}};
    object["held_by_keepalived"] = around.is_held_by_keepalived;
    auto& vips = object["vips"] = Json::array();
    for (auto const& vip : around.vips)
        vips.push_back({{"address", vip.address.str()},
                        {"interface", vip.interface.empty() ? Json(nullptr) : Json(vip.interface)}});
}

std::string around_prometheus(StatusAround const& around, std::string_view director) {
    auto const labels = fmt::format("director=\"{}\"", director);
    std::string text;
    if (around.machine.unknown.empty())
        text += gauge("machine_findings", "What of the file is not so on this machine.", labels,
                      around.machine.found.size());
    if (around.marks)
        text += gauge("marks_hold", "Whether all rules give every packet the mark that the site says.", labels,
                      around.marks->holds() ? 1 : 0);
    if (around.keepalived && around.keepalived->unknown.empty())
        text += gauge("keepalived_runs", "Whether keepalived runs.", labels, around.keepalived->runs ? 1 : 0);
    if (around.vips.empty())
        return text;
    text += "# HELP lbc_vip_held Whether an interface but lo has the VIP.\n# TYPE lbc_vip_held gauge\n";
    for (auto const& vip : around.vips)
        text +=
            fmt::format("lbc_vip_held{{{},vip=\"{}\"}} {}\n", labels, vip.address.str(), vip.interface.empty() ? 0 : 1);
    return text;
}

} // namespace lbc
