// A list of JSON values, for the reports. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>

namespace lbc {

/// `make` of every item, as a list that is present even if empty.
template <typename Items, typename Make>
[[nodiscard]] nlohmann::ordered_json array_of(Items const& items, Make make) {
    auto array = nlohmann::ordered_json::array();
    for (auto const& item : items)
        array.push_back(make(item));
    return array;
}

} // namespace lbc
