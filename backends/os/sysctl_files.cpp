#include "backends/os/sysctl_files.hpp"

#include "backends/os/descriptor.hpp"
#include "backends/os/system_error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lbc {
namespace {

std::unexpected<SystemError> failed(std::string_view what, Sysctl sysctl, int code) {
    auto kind = SystemError::Kind::failed;
    if (code == EACCES || code == EPERM || code == EROFS)
        kind = SystemError::Kind::permission;
    if (code == ENOENT)
        kind = SystemError::Kind::unsupported;
    return std::unexpected(
        SystemError{kind, code, fmt::format("cannot {} {}: {}", what, title(sysctl), errno_text(code)), {}});
}

} // namespace

std::expected<int, SystemError> read_sysctl_file(Sysctl sysctl) {
    Descriptor const file(::open(sysctl_path(sysctl).c_str(), O_RDONLY | O_CLOEXEC));
    char digit = 0;
    if (!file || ::read(file.get(), &digit, 1) != 1)
        return failed("read", sysctl, errno);
    if (digit < '0' || digit > '9')
        return failed("read", sysctl, EBADMSG);
    return digit - '0';
}

std::expected<void, SystemError> write_sysctl_file(Sysctl sysctl, int value) {
    assert(value >= 0 && value <= 9);
    Descriptor const file(::open(sysctl_path(sysctl).c_str(), O_WRONLY | O_CLOEXEC));
    auto const digit = static_cast<char>('0' + value);
    if (!file || ::write(file.get(), &digit, 1) != 1)
        return failed("write", sysctl, errno);
    return {};
}

std::set<std::string> advertised_routes(std::istream& routes) {
    constexpr unsigned long advertised = 0x50000; // RTF_DEFAULT, RTF_ADDRCONF (linux/ipv6_route.h)
    std::set<std::string> devices;
    std::string line;
    while (std::getline(routes, line)) {
        std::istringstream words(line);
        std::array<std::string, 10> fields;
        for (auto& field : fields)
            words >> field;
        auto const& [network, length, source, source_length, next, metric, references, use, flags, device] = fields;
        unsigned long bits = 0;
        auto const read = std::from_chars(flags.data(), flags.data() + flags.size(), bits, 16);
        bool const is_default = length == "00" && source_length == "00";
        if (words && is_default && read.ec == std::errc{} && (bits & advertised) != 0)
            devices.insert(device);
    }
    return devices;
}

std::expected<void, SystemError> may_write_sysctl_file(Sysctl sysctl, int value) {
    if (sysctl != Sysctl::ipv6_forwarding || value == 0)
        return {};
    std::ifstream routes("/proc/net/ipv6_route");
    for (auto const& device : advertised_routes(routes)) {
        std::ifstream file(fmt::format("/proc/sys/net/ipv6/conf/{}/accept_ra", device));
        int accepts = 0;
        if (file >> accepts && accepts == 2)
            continue;
        return std::unexpected(SystemError{
            SystemError::Kind::failed, 0,
            fmt::format("`forward nat` of IPv6 needs {0}=1, with which Linux drops the default route that {1} has from "
                        "router advertisements: set net.ipv6.conf.{1}.accept_ra=2 first, or {0}=1 yourself",
                        title(sysctl), device)});
    }
    return {};
}

} // namespace lbc
