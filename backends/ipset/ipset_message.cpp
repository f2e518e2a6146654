#include "backends/ipset/ipset_message.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <sys/socket.h>

#include <linux/netfilter/ipset/ip_set.h>

#include <algorithm>
#include <bit>

namespace lbc {
namespace {

constexpr std::uint8_t protocol_version = IPSET_PROTOCOL_MIN;
constexpr std::string_view set_type = "hash:ip,port";
constexpr std::uint8_t skbinfo_revision = 5; // the first of hash:ip,port that has skbinfo (ip_set_hash_ipport.c)
constexpr std::uint32_t default_most = 65536;
constexpr std::uint32_t least_slots = 64;
constexpr int net_order = NLA_F_NET_BYTEORDER;

/// Attribute numbers of both levels of data: an address, a port and the rest of an entry.
using Data = Attributes<IPSET_ATTR_ADT_MAX>;

template <typename Put>
bool nest(nl_msg* message, int number, Put put_all) {
    return nested(message, number | NLA_F_NESTED, put_all);
}

bool put_address(nl_msg* message, IpAddress const& address) {
    bool const is_ipv4 = address.family() == Family::ipv4;
    int const number = is_ipv4 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6;
    return nla_put(message, number | net_order, address.bits() / 8, address.bytes().data()) == 0;
}

bool put_entry(nl_msg* message, SetEntry const& entry) {
    std::uint64_t const mark = (std::uint64_t{entry.mark.value} << 32U) | entry.mask;
    return nest(message, IPSET_ATTR_IP, [&] { return put_address(message, entry.address); }) &&
           put(message, IPSET_ATTR_PORT | net_order, htons(entry.port.value)) &&
           put(message, IPSET_ATTR_PROTO, entry.protocol) &&
           put(message, IPSET_ATTR_SKBMARK | net_order, htobe64(mark));
}

std::optional<SetEntry> entry_in(nlattr* data, Family family) {
    Data const values(data);
    Attributes<IPSET_ATTR_IPADDR_MAX> const addresses(values[IPSET_ATTR_IP]);
    auto const address =
        address_in(addresses[family == Family::ipv4 ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6], family);
    auto const port = values.get<std::uint16_t>(IPSET_ATTR_PORT);
    auto const protocol = values.get<std::uint8_t>(IPSET_ATTR_PROTO);
    auto const mark = be64toh(values.get<std::uint64_t>(IPSET_ATTR_SKBMARK).value_or(0));
    if (!address || !port || !protocol)
        return std::nullopt;
    return SetEntry{*address, *protocol, Port{ntohs(*port)}, Fwmark{static_cast<std::uint32_t>(mark >> 32U)},
                    static_cast<std::uint32_t>(mark)};
}

} // namespace

SetSize size_of_set(std::size_t entries) {
    auto const count = static_cast<std::uint32_t>(std::min(entries, std::size_t{1} << 30U));
    return {std::max(std::bit_ceil(count), least_slots), std::max(count, default_most)};
}

bool put_names_request(nl_msg* message) {
    std::uint32_t const flags = htonl(IPSET_FLAG_LIST_SETNAME);
    return put(message, IPSET_ATTR_PROTOCOL, protocol_version) && put(message, IPSET_ATTR_FLAGS | net_order, flags);
}

bool put_head_request(nl_msg* message, std::string const& name) {
    std::uint32_t const flags = htonl(IPSET_FLAG_LIST_HEADER);
    return put_set(message, name) && put(message, IPSET_ATTR_FLAGS | net_order, flags);
}

bool put_set(nl_msg* message, std::string const& name) {
    return put(message, IPSET_ATTR_PROTOCOL, protocol_version) && put_text(message, IPSET_ATTR_SETNAME, name);
}

bool put_sets(nl_msg* message, std::string const& name, std::string const& other) {
    return put_set(message, name) && put_text(message, IPSET_ATTR_SETNAME2, other);
}

bool put_new_set(nl_msg* message, std::string const& name, Family family, SetSize size) {
    std::uint8_t const number = family == Family::ipv4 ? AF_INET : AF_INET6;
    std::uint32_t const flags = htonl(IPSET_FLAG_WITH_SKBINFO);
    return put_set(message, name) && put_text(message, IPSET_ATTR_TYPENAME, std::string(set_type)) &&
           put(message, IPSET_ATTR_REVISION, skbinfo_revision) && put(message, IPSET_ATTR_FAMILY, number) &&
           nest(message, IPSET_ATTR_DATA, [&] {
               return put(message, IPSET_ATTR_HASHSIZE | net_order, htonl(size.slots)) &&
                      put(message, IPSET_ATTR_MAXELEM | net_order, htonl(size.most)) &&
                      put(message, IPSET_ATTR_CADT_FLAGS | net_order, flags);
           });
}

bool put_entries(nl_msg* message, std::string const& name, std::span<SetEntry const> entries) {
    std::uint32_t const line = htonl(1); // the kernel requires a line number of the text with the entries
    return put_set(message, name) && put(message, IPSET_ATTR_LINENO | net_order, line) &&
           nest(message, IPSET_ATTR_ADT, [&] {
               return std::ranges::all_of(entries, [&](SetEntry const& entry) {
                   return nest(message, IPSET_ATTR_DATA, [&] { return put_entry(message, entry); });
               });
           });
}

std::string name_in(nlattr* attributes, int length) {
    return Attributes<IPSET_ATTR_CMD_MAX>(attributes, length).text(IPSET_ATTR_SETNAME);
}

std::size_t uses_in(nlattr* attributes, int length) {
    Attributes<IPSET_ATTR_CMD_MAX> const answer(attributes, length);
    Attributes<IPSET_ATTR_CREATE_MAX> const head(answer[IPSET_ATTR_DATA]);
    return ntohl(head.get<std::uint32_t>(IPSET_ATTR_REFERENCES).value_or(0));
}

void add_entries_in(nlattr* attributes, int length, Family family, std::vector<SetEntry>& entries) {
    // An entry without a protocol equals no own entry.
    SetEntry const unknown{IpAddress(family, {}), 0, {}, {}, 0};
    Attributes<IPSET_ATTR_CMD_MAX> const answer(attributes, length);
    if (auto const type = answer.text(IPSET_ATTR_TYPENAME); !type.empty() && type != set_type)
        entries.push_back(unknown);
    auto* list = answer[IPSET_ATTR_ADT];
    if (list == nullptr)
        return;
    int left = nla_len(list);
    for (auto* data = static_cast<nlattr*>(nla_data(list)); nla_ok(data, left) != 0; data = nla_next(data, &left))
        entries.push_back(entry_in(data, family).value_or(unknown));
}

} // namespace lbc
