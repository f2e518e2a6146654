#include "backends/observe/interface_message.hpp"

#include "backends/netlink/attributes.hpp"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace lbc {
namespace {

/// The header before the attributes of a message.
template <typename Header>
std::optional<Header> header_in(nlmsghdr* message, int type) {
    if (message->nlmsg_type != type || nlmsg_valid_hdr(message, sizeof(Header)) == 0)
        return std::nullopt;
    Header header{};
    std::memcpy(&header, nlmsg_data(message), sizeof header);
    return header;
}

template <typename Header, int max>
Attributes<max> attributes_in(nlmsghdr* message) {
    return {nlmsg_attrdata(message, sizeof(Header)), nlmsg_attrlen(message, sizeof(Header))};
}

} // namespace

std::optional<Interface> interface_in(nlmsghdr* message) {
    auto const header = header_in<ifinfomsg>(message, RTM_NEWLINK);
    if (!header || header->ifi_index <= 0)
        return std::nullopt;
    auto const attributes = attributes_in<ifinfomsg, IFLA_MAX>(message);
    Interface found;
    found.name = attributes.text(IFLA_IFNAME);
    if (found.name.empty())
        return std::nullopt;
    found.index = header->ifi_index;
    found.is_up = (header->ifi_flags & IFF_UP) != 0;
    found.master = attributes.get<int>(IFLA_MASTER).value_or(0);
    found.kind = Attributes<IFLA_INFO_MAX>(attributes[IFLA_LINKINFO]).text(IFLA_INFO_KIND);
    // For a veth, IFLA_LINK is the other end, perhaps in another namespace with its own numbers.
    if (found.kind == "vlan" && attributes[IFLA_LINK_NETNSID] == nullptr)
        found.lower = attributes.get<int>(IFLA_LINK).value_or(0);
    auto const mac = attributes.get<MacAddress>(IFLA_ADDRESS);
    if (header->ifi_type == ARPHRD_ETHER && mac && !mac->is_zero())
        found.mac = mac;
    return found;
}

std::optional<std::pair<int, InterfaceAddress>> own_address_in(nlmsghdr* message) {
    auto const header = header_in<ifaddrmsg>(message, RTM_NEWADDR);
    if (!header || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
        return std::nullopt;
    auto const family = header->ifa_family == AF_INET ? Family::ipv4 : Family::ipv6;
    auto const attributes = attributes_in<ifaddrmsg, IFA_MAX>(message);
    // On a point-to-point interface IFA_ADDRESS is the other end's.
    nlattr* own = attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
    auto const address = address_in(own, family);
    if (!address || header->ifa_prefixlen > address->bits())
        return std::nullopt;
    return std::pair(static_cast<int>(header->ifa_index), InterfaceAddress{*address, header->ifa_prefixlen});
}

} // namespace lbc
