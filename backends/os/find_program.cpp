#include "backends/os/find_program.hpp"

#include "backends/os/trusted_owner.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace lbc {
namespace {

constexpr char const* usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view added_path = "/usr/sbin:/sbin"; // may be missing from a user's PATH

/// For root: whether only root, and those whom root has put into the folder's group, can put programs into this folder.
bool is_trusted(std::string const& folder) {
    struct stat status{};
    return ::geteuid() != 0 ||
           (::stat(folder.c_str(), &status) == 0 && is_trusted_owner(status.st_uid) && (status.st_mode & S_IWOTH) == 0);
}

/// The absolute folders, in their order.
std::vector<std::string> folders() {
    auto const* path = ::secure_getenv("PATH");
    auto const all = fmt::format("{}:{}", path == nullptr ? usual_path : path, added_path);
    std::vector<std::string> list;
    for (std::string_view left = all; !left.empty();) {
        auto const end = std::min(left.find(':'), left.size());
        if (left.starts_with('/'))
            list.emplace_back(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return list;
}

bool has(std::string const& folder, std::string const& name) {
    auto const file = fmt::format("{}/{}", folder, name);
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0;
}

} // namespace

std::optional<std::string> find_program(std::string const& name) {
    auto const all = folders();
    auto const found =
        std::ranges::find_if(all, [&](auto const& folder) { return has(folder, name) && is_trusted(folder); });
    return found == all.end() ? std::nullopt : std::optional(fmt::format("{}/{}", *found, name));
}

std::string no_program(std::string const& name) {
    auto const all = folders();
    auto const passed = std::ranges::find_if(all, [&](auto const& folder) { return has(folder, name); });
    if (passed == all.end())
        return fmt::format("{} is not installed on this box", name);
    return fmt::format(
        "{} is not installed on this box but for `{}/{}`, which root does not run: others may write in that "
        "folder",
        name, *passed, name);
}

} // namespace lbc
