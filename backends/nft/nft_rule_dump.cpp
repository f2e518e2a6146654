#include "backends/nft/nft_rule_dump.hpp"

#include "backends/nft/nft_netlink.hpp"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <cerrno>

namespace lbc {
namespace {

using NftnlRule = std::unique_ptr<nftnl_rule, Free<nftnl_rule_free>>;

struct Dump {
    std::string_view table;
    std::vector<NftDumpedRule> rules;
};

std::string text_of(char const* text) { return text == nullptr ? "" : text; }

int note_next(nftnl_expr* part, void* next) {
    if (text_of(nftnl_expr_get_str(part, NFTNL_EXPR_NAME)) == "immediate" &&
        nftnl_expr_is_set(part, NFTNL_EXPR_IMM_CHAIN))
        *static_cast<std::string*>(next) = text_of(nftnl_expr_get_str(part, NFTNL_EXPR_IMM_CHAIN));
    return MNL_CB_OK;
}

int note_rule(nlmsghdr const* message, void* data) {
    auto& dump = *static_cast<Dump*>(data);
    NftnlRule const rule(nftnl_rule_alloc());
    if (!rule || nftnl_rule_nlmsg_parse(message, rule.get()) < 0)
        return MNL_CB_ERROR;
    if (text_of(nftnl_rule_get_str(rule.get(), NFTNL_RULE_TABLE)) != dump.table)
        return MNL_CB_OK;
    NftDumpedRule noted{text_of(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN)), {}};
    nftnl_expr_foreach(rule.get(), note_next, &noted.next);
    dump.rules.push_back(std::move(noted));
    return MNL_CB_OK;
}

} // namespace

std::expected<std::vector<NftDumpedRule>, SystemError> dump_nft_rules(Family family, std::string_view table) {
    int code = 0;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        Dump dump{table, {}};
        code =
            dump_nft(NFT_MSG_GETRULE, family == Family::ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6, nullptr, note_rule, &dump);
        if (code == 0)
            return std::move(dump.rules);
        if (code != EINTR) // EINTR: the rules changed meanwhile
            break;
    }
    return std::unexpected(nft_error("cannot ask for the rules of nftables", code));
}

} // namespace lbc
