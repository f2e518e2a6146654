#include "backends/nft/nft_present.hpp"

#include "backends/nft/nft_netlink.hpp"
#include "backends/os/read_file.hpp"
#include "compiler/rules/ruleset.hpp"

#include <fmt/format.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace lbc {
namespace {

constexpr std::size_t largest_module_list = std::size_t{1} << 20;
using NftnlTable = std::unique_ptr<nftnl_table, Free<nftnl_table_free>>;
using NftnlChain = std::unique_ptr<nftnl_chain, Free<nftnl_chain_free>>;

/// Whether nf_tables is in the kernel. If it is not, a message to it makes nfnetlink load it (nfnetlink.c).
bool is_loaded() {
    auto const modules = read_file("/proc/modules", largest_module_list);
    if (!modules)
        return true; // a kernel without modules loads none
    if (modules->starts_with("nf_tables ") || modules->contains("\nnf_tables "))
        return true;
    utsname names{};
    if (::uname(&names) != 0)
        return false;
    auto const builtin = read_file(fmt::format("/lib/modules/{}/modules.builtin", names.release), largest_module_list);
    return builtin && builtin->contains("/nf_tables.ko\n");
}

bool means_none(int code) {
    return code == EOPNOTSUPP || code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == ENOENT;
}

std::string family_name(std::uint32_t family) {
    switch (family) {
    case NFPROTO_IPV4: return "ip";
    case NFPROTO_IPV6: return "ip6";
    case NFPROTO_INET: return "inet";
    case NFPROTO_ARP: return "arp";
    case NFPROTO_BRIDGE: return "bridge";
    case NFPROTO_NETDEV: return "netdev";
    default: return fmt::format("{}", family);
    }
}

int note_table(nlmsghdr const* message, void* found) {
    NftnlTable const table(nftnl_table_alloc());
    if (!table || nftnl_table_nlmsg_parse(message, table.get()) < 0)
        return MNL_CB_ERROR;
    auto const* name = nftnl_table_get_str(table.get(), NFTNL_TABLE_NAME);
    static_cast<std::vector<NftTableName>*>(found)->push_back(
        {family_name(nftnl_table_get_u32(table.get(), NFTNL_TABLE_FAMILY)), name == nullptr ? "" : name,
         nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS)});
    return MNL_CB_OK;
}

int note_own_chain(nlmsghdr const* message, void* found) {
    NftnlChain const chain(nftnl_chain_alloc());
    if (!chain || nftnl_chain_nlmsg_parse(message, chain.get()) < 0)
        return MNL_CB_ERROR;
    auto const text = [&](std::uint16_t attribute) {
        auto const* value = nftnl_chain_get_str(chain.get(), attribute);
        return std::string_view(value == nullptr ? "" : value);
    };
    if (text(NFTNL_CHAIN_TABLE) == "mangle" && is_own_chain(text(NFTNL_CHAIN_NAME)))
        *static_cast<bool*>(found) = true;
    return MNL_CB_OK;
}

/// Collects the objects of a kind through `note`, anew at each attempt.
template <typename Found>
std::expected<Found, SystemError> ask(std::uint16_t type, std::uint8_t family, mnl_cb_t note, std::string_view what) {
    if (!is_loaded())
        return Found{};
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        Found found{};
        int const code = dump_nft(type, family, nullptr, note, &found);
        if (code == 0)
            return found;
        if (means_none(code))
            return Found{};
        if (code != EINTR) // EINTR: the objects changed meanwhile
            return std::unexpected(nft_error(what, code));
    }
    return std::unexpected(nft_error(what, EINTR));
}

} // namespace

bool NftTableName::is_dormant() const { return (flags & NFT_TABLE_F_DORMANT) != 0; }

std::expected<std::vector<NftTableName>, SystemError> list_nft_tables() {
    return ask<std::vector<NftTableName>>(NFT_MSG_GETTABLE, NFPROTO_UNSPEC, note_table,
                                          "cannot ask for the tables of nftables");
}

std::expected<bool, SystemError> ask_for_own_nft_table() {
    auto const tables = list_nft_tables();
    if (!tables)
        return std::unexpected(tables.error());
    return std::ranges::any_of(*tables,
                               [](NftTableName const& one) { return one.family == "inet" && one.name == "lbc"; });
}

std::expected<bool, SystemError> ask_for_iptables_nft_chains(Family family) {
    return ask<bool>(NFT_MSG_GETCHAIN, family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6, note_own_chain,
                     "cannot ask for the chains of nftables");
}

} // namespace lbc
