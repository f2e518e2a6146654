#include "backends/os/path_parts.hpp"

#include <algorithm>

namespace lbc {

std::vector<std::string> path_parts(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        auto const part = path.substr(0, path.find('/'));
        if (!part.empty() && part != ".")
            parts.emplace_back(part);
        path.remove_prefix(std::min(part.size() + 1, path.size()));
    }
    return parts;
}

} // namespace lbc
