#include "backends/nft/nft_element_message.hpp"

#include <linux/netfilter/nf_tables.h>

#include <cstring>
#include <utility>

namespace lbc {
namespace {

std::optional<NftKeyBytes> key_in(nftnl_set_elem* element, std::uint16_t attribute) {
    std::uint32_t size = 0;
    auto const* data = nftnl_set_elem_get(element, attribute, &size);
    NftKeyBytes key;
    if (data == nullptr || size > key.bytes.size())
        return std::nullopt;
    std::memcpy(key.bytes.data(), data, size);
    key.size = size;
    return key;
}

/// Nothing where it has what lbc's elements have not.
std::optional<NftRawElement> raw_of(nftnl_set_elem* element) {
    auto const has = [&](std::uint16_t attribute) { return nftnl_set_elem_is_set(element, attribute); };
    auto const key = key_in(element, NFTNL_SET_ELEM_KEY);
    if (!key || has(NFTNL_SET_ELEM_TIMEOUT) || has(NFTNL_SET_ELEM_EXPR) || has(NFTNL_SET_ELEM_EXPRESSIONS) ||
        has(NFTNL_SET_ELEM_VERDICT) || has(NFTNL_SET_ELEM_OBJREF))
        return std::nullopt;
    NftRawElement raw{*key, {}, false, {}};
    if (has(NFTNL_SET_ELEM_KEY_END))
        raw.key_end = key_in(element, NFTNL_SET_ELEM_KEY_END);
    if (has(NFTNL_SET_ELEM_FLAGS))
        raw.ends_interval = (nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END) != 0;
    if (has(NFTNL_SET_ELEM_DATA)) {
        std::uint32_t size = 0;
        auto const* data = nftnl_set_elem_get(element, NFTNL_SET_ELEM_DATA, &size);
        Fwmark mark;
        if (data == nullptr || size != sizeof mark.value)
            return std::nullopt;
        std::memcpy(&mark.value, data, size);
        raw.mark = mark;
    }
    return raw;
}

} // namespace

NftnlSet describe_set(std::string const& name) {
    NftnlSet set(nftnl_set_alloc());
    if (set) {
        nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, "lbc");
        nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
    }
    return set;
}

int take_elements(nlmsghdr const* message, void* set) {
    return nftnl_set_elems_nlmsg_parse(message, static_cast<nftnl_set*>(set)) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

std::optional<std::vector<NftElement>> elements_in(nftnl_set& found, NftSet const& set) {
    std::vector<NftRawElement> raw;
    auto const take = [](nftnl_set_elem* element, void* to) {
        auto const one = raw_of(element);
        if (one)
            static_cast<std::vector<NftRawElement>*>(to)->push_back(*one);
        return one ? 0 : -1;
    };
    if (nftnl_set_elem_foreach(&found, take, &raw) < 0)
        return std::nullopt;
    return elements_of(std::move(raw), set);
}

} // namespace lbc
