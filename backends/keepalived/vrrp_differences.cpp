#include "backends/keepalived/vrrp_differences.hpp"

#include "backends/keepalived/configuration_lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace lbc {
namespace {

constexpr std::string_view instance_word = "vrrp_instance ";

constexpr std::string_view apart = "until all directors have it, several may be master, or a VIP on none";
constexpr std::string_view moving = "the VIPs may move to another director";

/// Statements with a value that directors must agree on, or that restarts the instance.
constexpr std::array<std::string_view, 7> of_identity{"interface", "virtual_router_id", "version",       "advert_int",
                                                      "auth_type", "auth_pass",         "unicast_src_ip"};
constexpr std::array<std::string_view, 3> of_roles{"priority", "use_vmac", "vmac_xmit_base"};
constexpr std::array<std::string_view, 2> lists_of_identity{"virtual_ipaddress", "unicast_peer"};
constexpr std::array<std::string_view, 2> lists_of_vips{"virtual_ipaddress", "virtual_ipaddress_excluded"};

struct Instance {
    std::string name;
    std::map<std::string, std::vector<std::string>> values; // by statement, in the order of the file
    std::set<std::string> vips;                             // without length

    /// Of a statement; empty if there is none.
    [[nodiscard]] std::vector<std::string> lines(std::string const& statement) const {
        auto const found = values.find(statement);
        return found == values.end() ? std::vector<std::string>() : found->second;
    }
};

bool is_in(auto const& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); }

std::string_view first_word(std::string_view line) { return line.substr(0, line.find_first_of(" \t")); }

void take(Instance& instance, ConfigurationLine const& line) {
    auto const word = first_word(line.text);
    if (line.blocks.size() > 1) {
        auto const& list = line.blocks[1];
        if (is_in(lists_of_vips, list))
            instance.vips.emplace(line.text.substr(0, line.text.find_first_of("/ \t")));
        if (is_in(lists_of_identity, list))
            instance.values[list].emplace_back(line.text);
        else if (is_in(of_identity, word))
            instance.values[std::string(word)].emplace_back(line.text);
    } else if (is_in(of_identity, word) || is_in(of_roles, word)) {
        instance.values[std::string(word)].emplace_back(line.text);
    }
}

std::vector<Instance> instances_in(std::string_view text) {
    std::vector<Instance> found;
    for_each_line(text, [&](ConfigurationLine const& line) {
        if (line.opens && line.blocks.empty() && line.text.starts_with(instance_word)) {
            auto name = line.text.substr(instance_word.size());
            name = name.substr(0, name.find_last_not_of(" \t{") + 1);
            found.push_back({std::string(name), {}, {}});
        } else if (!line.opens && !line.closes && !line.blocks.empty() && !found.empty() &&
                   line.blocks.front() == std::string(instance_word) + found.back().name) {
            take(found.back(), line);
        }
    });
    return found;
}

Instance const* find(std::vector<Instance> const& list, std::string const& name) {
    auto const found = std::ranges::find(list, name, &Instance::name);
    return found == list.end() ? nullptr : &*found;
}

std::string words_of(std::string const& statement, std::vector<std::string> const& values) {
    if (values.empty())
        return "unset";
    if (statement.starts_with("auth_"))
        return "a secret";
    if (is_in(lists_of_identity, statement))
        return fmt::format("{}", fmt::join(values, ", "));
    auto const& line = values.back();
    return line.size() > statement.size() ? line.substr(statement.size() + 1) : "set";
}

std::vector<VrrpDifference> compare(Instance const& before, Instance const& after) {
    std::set<std::string> statements;
    for (auto const* side : {&before, &after})
        for (auto const& entry : side->values)
            statements.insert(entry.first);
    std::vector<VrrpDifference> found;
    for (auto const& statement : statements) {
        auto const was = before.lines(statement);
        auto const is = after.lines(statement);
        if (was == is)
            continue;
        auto const from = words_of(statement, was);
        auto const to = words_of(statement, is);
        found.push_back({after.name,
                         from == to ? statement + " changes" : fmt::format("{} {} to {}", statement, from, to),
                         is_in(of_roles, statement) ? moving : apart});
    }
    return found;
}

/// The instance of the present file that becomes this one: of its name, or else of its interface and router id. Null:
/// it is new.
Instance const* present_of(Instance const& after, std::vector<Instance> const& old, std::vector<Instance> const& all) {
    if (auto const* same = find(old, after.name))
        return same;
    auto const renamed = std::ranges::find_if(old, [&](Instance const& before) {
        return find(all, before.name) == nullptr && before.lines("interface") == after.lines("interface") &&
               before.lines("virtual_router_id") == after.lines("virtual_router_id");
    });
    return renamed == old.end() ? nullptr : &*renamed;
}

/// Another instance of the present file that has one of the VIPs.
std::optional<std::string> former_of(Instance const& after, Instance const* present, std::vector<Instance> const& all) {
    for (auto const& before : all)
        if (&before != present &&
            std::ranges::any_of(after.vips, [&](std::string const& vip) { return before.vips.contains(vip); }))
            return before.name;
    return std::nullopt;
}

} // namespace

std::string VrrpDifference::words() const { return effect.empty() ? text : fmt::format("{}: {}", text, effect); }

std::vector<VrrpDifference> vrrp_differences(std::string_view before, std::string_view after) {
    auto const old = instances_in(before);
    auto const wanted = instances_in(after);
    std::set<Instance const*> kept; // of `old`
    std::vector<VrrpDifference> found;
    for (auto const& instance : wanted) {
        auto const* present = present_of(instance, old, wanted);
        kept.insert(present);
        if (present != nullptr)
            std::ranges::move(compare(*present, instance), std::back_inserter(found));
        auto const former = former_of(instance, present, old);
        if (former)
            found.push_back({instance.name, fmt::format("VIPs move here from {}", *former), apart});
        else if (present == nullptr)
            found.push_back({instance.name, "new instance", {}});
    }
    for (auto const& instance : old)
        if (!kept.contains(&instance))
            found.push_back({instance.name, "the instance ends", apart});
    return found;
}

} // namespace lbc
