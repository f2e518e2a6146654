#include "backends/iptables/set_numbers.hpp"

#include "backends/os/descriptor.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/netfilter/ipset/ip_set.h>

#include <cstring>

namespace lbc::xt {
namespace {

std::optional<ip_set_name_index> ask(unsigned operation, ip_set_name_index const& set) {
    Descriptor const socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!socket)
        return std::nullopt;
    ip_set_req_version version{IP_SET_OP_VERSION, 0};
    socklen_t size = sizeof version;
    if (::getsockopt(socket.get(), SOL_IP, SO_IP_SET, &version, &size) != 0 || size != sizeof version)
        return std::nullopt;
    ip_set_req_get_set request{operation, version.version, set};
    size = sizeof request;
    if (::getsockopt(socket.get(), SOL_IP, SO_IP_SET, &request, &size) != 0 || size != sizeof request)
        return std::nullopt;
    return request.set;
}

} // namespace

std::optional<std::uint16_t> set_number(std::string_view name) {
    ip_set_name_index set{};
    if (name.size() >= sizeof set.name)
        return std::nullopt;
    std::memcpy(set.name, name.data(), name.size());
    auto const found = ask(IP_SET_OP_GET_BYNAME, set);
    return found && found->index != IPSET_INVALID_ID ? std::optional(found->index) : std::nullopt;
}

std::optional<std::string> set_name(std::uint16_t number) {
    ip_set_name_index set{};
    set.index = number;
    auto const found = ask(IP_SET_OP_GET_BYINDEX, set);
    if (!found)
        return std::nullopt;
    std::string name(found->name, ::strnlen(found->name, sizeof found->name));
    return name.empty() ? std::nullopt : std::optional(std::move(name));
}

} // namespace lbc::xt
