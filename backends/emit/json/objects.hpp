// Converts the values of a site to JSON values; the two halves of this folder share it. Private to this folder.
#pragma once

#include "compiler/plan/plan.hpp"
#include "grammar/source.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lbc::json {

/// Fields keep the order in which they are set.
using Json = nlohmann::ordered_json;

/// Looks up the names and places of a site.
struct Context {
    Site const& site;
    Sources const& sources;

    [[nodiscard]] Json place(Span span) const;
    [[nodiscard]] std::string const& name(DirectorId director) const { return site[director].name.value; }
};

[[nodiscard]] Json value(Forwarding const& forwarding);
[[nodiscard]] Json value(Persistence const& persistence);
[[nodiscard]] Json value(Scheduler const& scheduler);
[[nodiscard]] Json value(PortRange const& range);
[[nodiscard]] inline Json value(Fwmark mark) { return mark.value; }
[[nodiscard]] inline Json value(Port port) { return port.value; }
[[nodiscard]] inline Json value(Milliseconds time) { return time.count(); }
[[nodiscard]] inline Json value(std::string const& text) { return text; }
[[nodiscard]] inline Json value(IpAddress const& address) { return address.str(); }
[[nodiscard]] inline Json value(Prefix const& prefix) { return prefix.str(); }
[[nodiscard]] inline Json value(MacAddress const& mac) { return mac.str(); }
[[nodiscard]] inline Json value(InterfacePattern const& interface) { return interface.str(); }
[[nodiscard]] inline Json value(int number) { return number; }
[[nodiscard]] inline Json value(std::uint32_t number) { return number; }
template <typename T>
[[nodiscard]] Json value(Located<T> const& located) {
    return value(located.value);
}

/// `of` every item, as a list that is present even if empty.
template <typename Items, typename Of>
[[nodiscard]] Json list(Items const& items, Of of) {
    auto result = Json::array();
    for (auto const& item : items)
        result.push_back(of(item));
    return result;
}
template <typename Items>
[[nodiscard]] Json list(Items const& items) {
    return list(items, [](auto const& item) { return value(item); });
}

/// Sets a field, unless its value is missing or empty.
template <typename T>
void set(Json& object, char const* key, std::optional<T> const& maybe) {
    if (maybe)
        object[key] = value(*maybe);
}
inline void set(Json& object, char const* key, std::string const& text) {
    if (!text.empty())
        object[key] = text;
}
/// For a port or a threshold, of which 0 means none.
inline void set_nonzero(Json& object, char const* key, std::uint32_t number) {
    if (number != 0)
        object[key] = number;
}

/// IPVS's thresholds, of which 0 means none: no field if a real server has neither.
void set_connections(Json& object, std::uint32_t min, std::uint32_t max);

[[nodiscard]] Json site_object(Context const& context);
[[nodiscard]] Json plan_object(Context const& context, Plan const& plan);

} // namespace lbc::json
