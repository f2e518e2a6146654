#include "backends/nft/nft_total.hpp"

#include "backends/nft/nft_json_value.hpp"

#include <algorithm>
#include <array>

namespace lbc {
namespace {

/// From the kernel's source, 6.1 to 6.12: the eval function, which does not set NFT_BREAK.
struct Total {
    std::string_view name;
    std::string_view source;
};

/// Statements. Left out, since they may end their rule: `set`, `map`, `meter` (nft_dynset_eval: the set is full, or a
/// statement of the element does not hold), `flow` (nft_flow_offload_eval), `limit`, `quota`, `ct count`, `synproxy`,
/// `tproxy`, `ct expectation` (nft_ct_expect_obj_eval: no connection), `reset` of a TCP option, `fwd`.
constexpr std::array<Total, 9> statements{{
    {"counter", "nft_counter_do_eval in nft_counter.c"},
    {"log", "nft_log_eval in nft_log.c"},
    {"notrack", "nft_notrack_eval in nft_ct.c"},
    {"dup", "nft_dup_ipv4_eval, nft_dup_ipv6_eval, nft_dup_netdev_eval"},
    {"ct helper", "nft_ct_helper_obj_eval in nft_ct.c"},
    {"ct timeout", "nft_ct_timeout_obj_eval in nft_ct.c, which drops the packet where there is no memory"},
    {"secmark", "nft_secmark_obj_eval in nft_meta.c"},
    {"last", "nft_last_eval in nft_last.c"},
    {"continue", "nft_immediate_eval in nft_immediate.c"},
}};

/// Keys of `meta` that every packet has (nft_meta_get_eval in nft_meta.c).
constexpr std::array<Total, 10> meta_keys{{
    {"length", "NFT_META_LEN"},
    {"protocol", "NFT_META_PROTOCOL"},
    {"nfproto", "NFT_META_NFPROTO"},
    {"priority", "NFT_META_PRIORITY"},
    {"mark", "NFT_META_MARK"},
    {"cpu", "NFT_META_CPU"},
    {"random", "NFT_META_PRANDOM"},
    {"time", "NFT_META_TIME_NS"},
    {"day", "NFT_META_TIME_DAY"},
    {"hour", "NFT_META_TIME_HOUR"},
}};

/// Expressions of constants, and those that are as total as their operands (nft_bitwise_eval, nft_byteorder_eval,
/// nft_jhash_eval, nft_symhash_eval, nft_ng_random_eval, nft_ng_inc_eval).
constexpr std::array<std::string_view, 11> combining{"prefix", "range", "concat",  "&",     "|",     "^",
                                                     "<<",     ">>",    "symhash", "jhash", "numgen"};

bool is_in(auto const& list, std::string_view name) {
    return std::ranges::find(list, name, &Total::name) != list.end();
}

bool are_total(NftJson const& parts) {
    return std::ranges::all_of(parts, [](NftJson const& part) { return is_total(part); });
}

bool is_meta_or_ct(NftJson const& key) {
    return key.is_object() && key.size() == 1 && (key.contains("meta") || key.contains("ct"));
}

} // namespace

bool is_total(NftJson const& expression) {
    if (!expression.is_structured())
        return true; // a number, a name
    if (expression.is_array())
        return are_total(expression);
    if (expression.size() != 1)
        return false;
    auto const& name = expression.begin().key();
    auto const& parts = expression.begin().value();
    if (name == "meta")
        return is_in(meta_keys, text_member(&parts, "key"));
    return std::ranges::find(combining, name) != combining.end() && (!parts.is_structured() || are_total(parts));
}

bool always_goes_on(std::string_view name, NftJson const& value) {
    // nft_meta_set_eval and nft_ct_set_eval. A packet may lack a header or an option that a statement changes.
    if (name == "mangle") {
        auto const* key = member(&value, "key");
        auto const* to = member(&value, "value");
        return key != nullptr && to != nullptr && is_meta_or_ct(*key) && is_total(*to);
    }
    return is_in(statements, name) && (!value.is_structured() || are_total(value));
}

bool has_total_elements(NftJson const& set) {
    auto const* with_each = member(&set, "stmt");
    return with_each == nullptr ||
           (with_each->is_array() && std::ranges::all_of(*with_each, [](NftJson const& statement) {
                return statement.is_object() && statement.size() == 1 &&
                       always_goes_on(statement.begin().key(), statement.begin().value());
            }));
}

bool is_total_element(NftJson const& element) {
    return element.is_object() && std::ranges::all_of(element.items(), [](auto const& part) {
               return part.key() == "val" || part.key() == "comment" || always_goes_on(part.key(), part.value());
           });
}

} // namespace lbc
