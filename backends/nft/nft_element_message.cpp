#include "backends/nft/nft_element_message.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>

namespace lbc {
namespace {

/// Calls `take` for each attribute that lies within the bytes; false if `take` refuses one.
template <typename Take>
bool each_attribute(void const* first, std::size_t size, Take take) {
    auto const* attribute = static_cast<nlattr const*>(first);
    for (auto left = static_cast<int>(size); mnl_attr_ok(attribute, left); attribute = mnl_attr_next(attribute)) {
        if (!take(attribute))
            return false;
        left -= MNL_ALIGN(attribute->nla_len);
    }
    return true;
}

template <typename Take>
bool each_nested(nlattr const* nest, Take take) {
    return each_attribute(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), take);
}

/// The value in a nest of data, of at most `most` bytes; null unless it is the one attribute of the nest.
nlattr const* value_in(nlattr const* nest, std::size_t most) {
    nlattr const* value = nullptr;
    bool const is_one = each_nested(nest, [&](nlattr const* attribute) {
        bool const is_first = value == nullptr;
        value = attribute;
        return is_first && mnl_attr_get_type(attribute) == NFTA_DATA_VALUE;
    });
    return is_one && value != nullptr && mnl_attr_get_payload_len(value) <= most ? value : nullptr;
}

bool read_key(nlattr const* nest, NftKeyBytes& key) {
    auto const* const value = value_in(nest, key.bytes.size());
    if (value == nullptr)
        return false;
    key.size = mnl_attr_get_payload_len(value);
    std::memcpy(key.bytes.data(), mnl_attr_get_payload(value), key.size);
    return true;
}

bool read_number(nlattr const* attribute, std::uint32_t& number) {
    if (attribute == nullptr || mnl_attr_get_payload_len(attribute) != sizeof number)
        return false;
    std::memcpy(&number, mnl_attr_get_payload(attribute), sizeof number);
    return true;
}

bool read_part(nlattr const* attribute, NftRawElement& raw) {
    std::uint32_t number = 0;
    switch (mnl_attr_get_type(attribute)) {
    case NFTA_SET_ELEM_KEY: return read_key(attribute, raw.key);
    case NFTA_SET_ELEM_KEY_END: return read_key(attribute, raw.key_end.emplace());
    case NFTA_SET_ELEM_FLAGS:
        if (!read_number(attribute, number))
            return false;
        raw.ends_interval = (ntohl(number) & NFT_SET_ELEM_INTERVAL_END) != 0;
        return true;
    case NFTA_SET_ELEM_DATA:
        if (!read_number(value_in(attribute, sizeof number), number))
            return false;
        raw.mark = Fwmark{number};
        return true;
    // Comments and padding do not concern packets.
    case NFTA_SET_ELEM_USERDATA:
    case NFTA_SET_ELEM_PAD: return true;
    default: return false;
    }
}

/// Whether the element has only the parts that own elements have.
bool read_element(nlattr const* nest, NftRawElement& raw) {
    return each_nested(nest, [&](nlattr const* part) { return read_part(part, raw); }) && raw.key.size > 0;
}

} // namespace

void take_elements(nlmsghdr const& message, NftElementDump& dump) {
    if (message.nlmsg_len < mnl_nlmsg_size(sizeof(nfgenmsg)))
        return;
    auto const add = [&](nlattr const* element) {
        NftRawElement raw;
        if (read_element(element, raw))
            dump.raw.push_back(raw);
        else
            dump.has_unknown = true;
        return true;
    };
    each_attribute(mnl_nlmsg_get_payload_offset(&message, sizeof(nfgenmsg)),
                   message.nlmsg_len - mnl_nlmsg_size(sizeof(nfgenmsg)), [&](nlattr const* attribute) {
                       return mnl_attr_get_type(attribute) != NFTA_SET_ELEM_LIST_ELEMENTS ||
                              each_nested(attribute, add);
                   });
}

} // namespace lbc
