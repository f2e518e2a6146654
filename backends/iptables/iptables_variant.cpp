#include "backends/iptables/iptables_variant.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace lbc {

bool is_iptables_nft() {
    auto const* path = std::getenv("PATH");
    std::string const all = std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin";
    std::string_view folders = all;
    while (!folders.empty()) {
        auto const end = std::min(folders.find(':'), folders.size());
        auto const folder = folders.substr(0, end);
        folders.remove_prefix(std::min(end + 1, folders.size()));
        std::error_code error;
        auto const program = std::filesystem::canonical(std::filesystem::path(folder) / "iptables", error);
        if (!folder.empty() && !error)
            return program.filename().string().starts_with("xtables-nft");
    }
    return false;
}

} // namespace lbc
