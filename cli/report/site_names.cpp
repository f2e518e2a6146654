#include "cli/report/site_names.hpp"

#include "backends/keepalived/configuration_lines.hpp"
#include "compiler/analysis/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lbc {
namespace {

std::string settings_of(Destination const& real) {
    auto text = fmt::format("weight {}, {}", real.weight, to_string(real.forwarding));
    if (real.connections_max != 0)
        text += fmt::format(", connections {}-{}", real.connections_min, real.connections_max);
    return text;
}

/// A block of keepalived's file, with its inner blocks beside it.
struct Block {
    std::string name;
    std::string text;                         // its own lines
    std::map<std::string, std::string> reals; // blocks of real servers: their lines
};

std::map<std::string, Block> blocks_of(std::string_view text) {
    std::map<std::string, Block> blocks;
    for_each_line(text, [&](ConfigurationLine const& line) {
        if (line.blocks.empty())
            return;
        auto const& outer = line.blocks.front();
        auto& block = blocks[outer];
        block.name = line.title.empty() || !outer.starts_with("virtual_server ") ? outer : std::string(line.title);
        bool const is_real = line.blocks.size() > 1 && line.blocks[1].starts_with("real_server ");
        if (is_real)
            block.reals[line.blocks[1]] += fmt::format("{}\n", line.text);
        else if (!(line.opens && line.text.starts_with("real_server ")))
            block.text += fmt::format("{}\n", line.text);
    });
    return blocks;
}

/// "real server 10.0.0.7 80" of "real_server 10.0.0.7 80".
std::string real_title(std::string_view block) { return "real server" + std::string(block.substr(block.find(' '))); }

void add_changes(Block const& before, Block const& after, std::vector<std::string>& out) {
    if (before.text != after.text)
        out.push_back(after.name + ": changed");
    for (auto const& [real, text] : after.reals) {
        auto const old = before.reals.find(real);
        if (old == before.reals.end())
            out.push_back(fmt::format("{}: {} added", after.name, real_title(real)));
        else if (old->second != text)
            out.push_back(fmt::format("{}: {} changed", after.name, real_title(real)));
    }
    for (auto const& [real, text] : before.reals)
        if (!after.reals.contains(real))
            out.push_back(fmt::format("{}: {} removed", after.name, real_title(real)));
}

} // namespace

SiteNames::SiteNames(Site const& site, Plan const& plan) {
    std::map<std::size_t, std::size_t> families_of;
    for (auto const& service : plan.services)
        ++families_of[service.service];
    for (auto const& service : plan.services) {
        auto name = site.services[service.service].name.value;
        if (families_of[service.service] > 1)
            name += fmt::format(" ({})", lbc::title(service.family));
        services_.emplace(service.key(), std::move(name));
    }
    for (auto const& director : site.directors)
        for (auto const& address : director.addresses)
            directors_.emplace(address.value, director.name.value);
}

std::string SiteNames::service(ServiceKey key) const {
    auto const found = services_.find(key);
    return found == services_.end() ? std::string() : found->second;
}

std::string SiteNames::title(ServiceKey key) const {
    auto const found = services_.find(key);
    return found == services_.end() ? key.str() : found->second;
}

std::string SiteNames::real(Destination const& real) const {
    auto const director = directors_.find(real.address);
    return director == directors_.end() ? real.name() : fmt::format("{} ({})", director->second, real.name());
}

std::vector<std::string> SiteNames::sentences(std::span<IpvsChange const> changes) const {
    using Action = IpvsChange::Action;
    std::vector<std::string> list;
    std::map<ServiceKey, std::vector<std::string>> made; // real servers of services that are new
    for (auto const& change : changes)
        if (change.action == Action::add_service)
            made[change.key];
    for (auto const& change : changes)
        if (auto const of = made.find(change.key); of != made.end() && change.action == Action::add_real)
            of->second.push_back(real(change.real) +
                                 (change.real.weight == 1 ? "" : fmt::format(" weight {}", change.real.weight)));
    for (auto const& change : changes) {
        auto const name = title(change.key);
        switch (change.action) {
        case Action::add_service:
            list.push_back(fmt::format("{}: new service, {}, real servers {}", name, change.parameters.scheduler,
                                       fmt::join(made[change.key], ", ")));
            break;
        case Action::edit_service:
            list.push_back(fmt::format("{}: changed, scheduler {}", name, change.parameters.scheduler));
            break;
        case Action::delete_service: list.push_back(fmt::format("{}: service removed", name)); break;
        case Action::add_real:
            if (!made.contains(change.key))
                list.push_back(
                    fmt::format("{}: real server {} added, {}", name, real(change.real), settings_of(change.real)));
            break;
        case Action::edit_real:
            list.push_back(
                fmt::format("{}: real server {} changed, {}", name, real(change.real), settings_of(change.real)));
            break;
        case Action::delete_real:
            list.push_back(fmt::format("{}: real server {} removed", name, real(change.real)));
            break;
        }
    }
    return list;
}

std::vector<std::string> sentences(KeepalivedChange const& change) {
    std::vector<std::string> list;
    auto const before = blocks_of(change.before);
    auto const after = blocks_of(change.after);
    for (auto const& [name, block] : after) {
        auto const old = before.find(name);
        if (old == before.end())
            list.push_back(fmt::format("{}: new", block.name));
        else
            add_changes(old->second, block, list);
    }
    for (auto const& [name, block] : before)
        if (!after.contains(name))
            list.push_back(fmt::format("{}: removed", block.name));
    return list;
}

} // namespace lbc
