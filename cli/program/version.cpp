#include "cli/program/version.hpp"

#include "backends/iptables/iptables_variant.hpp"
#include "backends/os/find_program.hpp"
#include "backends/os/read_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <set>
#include <sstream>
#include <sys/utsname.h>
#include <unistd.h>

namespace lbc {
namespace {

constexpr std::size_t largest_maps = 1 << 20; // bytes of /proc/self/maps

/// The shared libraries of this process: "libnftables.so.1.1.0".
std::set<std::string> libraries() {
    std::set<std::string> names;
    auto const maps = read_file("/proc/self/maps", largest_maps);
    std::istringstream lines(maps ? *maps : std::string());
    for (std::string line; std::getline(lines, line);) {
        auto const name = line.substr(line.rfind('/') + 1);
        if (line.contains('/') && name.contains(".so"))
            names.insert(name);
    }
    return names;
}

std::string kernel() {
    utsname names{};
    auto text = ::uname(&names) == 0 ? std::string(&names.release[0]) : std::string("unknown");
    for (auto const& [what, path] :
         {std::pair{"IPVS", "/proc/net/ip_vs"}, {"legacy iptables", "/proc/net/ip_tables_names"}})
        text += fmt::format("; {} {}", what,
                            ::access("/proc/self", F_OK) != 0 ? "unknown"
                            : ::access(path, F_OK) == 0       ? "loaded"
                                                              : "not loaded");
    return text;
}

std::string programs() {
    std::string text;
    for (auto const* name : {"iptables", "nft", "ipset", "ipvsadm", "keepalived", "git"}) {
        auto const path = find_program(name);
        text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name, path.value_or("not found"));
        if (path && name == std::string_view("iptables"))
            text += is_iptables_nft() ? " (nf_tables)" : " (legacy)";
    }
    return text;
}

} // namespace

std::string_view version() { return LBC_VERSION; }

std::string version_details() {
    return fmt::format("libraries: {}\nkernel:    {}\nprograms:  {}\n", fmt::join(libraries(), " "), kernel(),
                       programs());
}

} // namespace lbc
