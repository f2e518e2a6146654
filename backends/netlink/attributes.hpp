// Attributes of netlink messages, through libnl. The size of each attribute from the kernel is checked before its value
// is read.
#pragma once

#include "compiler/base/types.hpp"

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace lbc {

template <auto free>
struct NetlinkFree {
    void operator()(auto* pointer) const { free(pointer); }
};
using NlSocket = std::unique_ptr<nl_sock, NetlinkFree<nl_socket_free>>;
using NlMessage = std::unique_ptr<nl_msg, NetlinkFree<nlmsg_free>>;

/// Attributes of one nesting level by number; of several with one number the last counts.
template <int max>
class Attributes {
public:
    Attributes(nlattr* first, int length) {
        // `get` and `text` check sizes, so the parser needs no policy.
        if (nla_parse(table_.data(), max, first, length, nullptr) < 0)
            table_.fill(nullptr);
    }
    explicit Attributes(nlattr* nest)
        : Attributes(nest == nullptr ? nullptr : static_cast<nlattr*>(nla_data(nest)),
                     nest == nullptr ? 0 : nla_len(nest)) {}

    [[nodiscard]] nlattr* operator[](int number) const { return table_.at(static_cast<std::size_t>(number)); }

    template <typename T>
    [[nodiscard]] std::optional<T> get(int number) const {
        static_assert(std::is_trivially_copyable_v<T>);
        nlattr* attribute = (*this)[number];
        if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(T)))
            return std::nullopt;
        T value{};
        std::memcpy(&value, nla_data(attribute), sizeof value);
        return value;
    }

    [[nodiscard]] std::string text(int number) const {
        nlattr* attribute = (*this)[number];
        if (attribute == nullptr)
            return {};
        auto const* bytes = static_cast<char const*>(nla_data(attribute));
        return {bytes, ::strnlen(bytes, static_cast<std::size_t>(nla_len(attribute)))};
    }

private:
    std::array<nlattr*, static_cast<std::size_t>(max) + 1> table_{};
};

template <typename T>
[[nodiscard]] bool put(nl_msg* message, int number, T value) {
    return nla_put(message, number, sizeof value, &value) == 0;
}

[[nodiscard]] inline bool put_text(nl_msg* message, int number, std::string const& text) {
    return nla_put_string(message, number, text.c_str()) == 0;
}

/// An address in the first bytes of an attribute.
[[nodiscard]] inline std::optional<IpAddress> address_in(nlattr* attribute, Family family) {
    std::size_t const size = family == Family::ipv4 ? 4 : 16;
    if (attribute == nullptr || nla_len(attribute) < static_cast<int>(size))
        return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), nla_data(attribute), size);
    return IpAddress(family, bytes);
}

/// Appends an attribute that nests those that `put_all` appends.
template <typename Put>
[[nodiscard]] bool nested(nl_msg* message, int number, Put put_all) {
    nlattr* nest = nla_nest_start(message, number);
    if (nest == nullptr || !put_all())
        return false;
    nla_nest_end(message, nest);
    return true;
}

} // namespace lbc
