#include "backends/iptables/xt_words.hpp"

#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

namespace lbc::xt {
namespace {

/// The names of the flags in a mask, in the order of iptables-save.
std::string flag_words(std::uint8_t flags) {
    static constexpr std::array<std::string_view, 6> names{"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
    std::string words;
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if ((flags >> bit & 1) != 0) {
            words += words.empty() ? "" : ",";
            words += names[bit];
        }
    }
    // iptables matches no bits without a name, those of ECN.
    bool const named = flags >> names.size() == 0;
    return !named ? fmt::format("{:#x}", flags) : words.empty() ? "NONE" : words;
}

} // namespace

std::string hex(ByteView bytes) {
    std::string out;
    out.reserve(2 * bytes.size());
    for (std::byte const byte : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[std::to_integer<std::size_t>(byte >> 4)];
        out += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return out;
}

void add_unknown(Matches& into, std::string_view words) {
    into.unknown += into.unknown.empty() ? "" : " ";
    into.unknown += words;
}

std::string extension_words(std::string_view before, ByteView extension) {
    auto const head = load<ExtensionHead>(extension);
    if (!head)
        return fmt::format("malformed:{}", hex(extension));
    std::string name = printable(text(head->name));
    std::ranges::replace(name, '\t', '?');
    return fmt::format("{}{}.{}:{}", before, name, head->revision, hex(extension.subspan(sizeof *head)));
}

std::string port_words(std::vector<PortRange> const& ranges) {
    std::string words;
    for (PortRange const& range : ranges) {
        words += words.empty() ? "" : ",";
        words += range.str(':');
    }
    return words;
}

std::string tcp_words(xt_tcp const& info) {
    std::string words;
    bool const inverted = (info.invflags & XT_TCP_INV_FLAGS) != 0;
    if (info.flg_mask != 0 || info.flg_cmp != 0 || inverted) {
        words += fmt::format(" {}--tcp-flags {} {}", negation(inverted), flag_words(info.flg_mask),
                             flag_words(info.flg_cmp));
    }
    if (info.option != 0)
        words += fmt::format(" {}--tcp-option {}", negation((info.invflags & XT_TCP_INV_OPTION) != 0), info.option);
    return words;
}

std::string address_words(Family family, std::array<std::uint8_t, 16> const& address,
                          std::array<std::uint8_t, 16> const& mask) {
    auto const length = mask_length(mask);
    return fmt::format("{}/{}", IpAddress(family, address).str(),
                       length ? std::to_string(*length) : IpAddress(family, mask).str());
}

std::array<std::uint8_t, 16> mask_bytes(int length) {
    std::array<std::uint8_t, 16> mask{};
    for (int bit = 0; bit < length; ++bit) {
        auto& byte = mask[static_cast<std::size_t>(bit / 8)];
        byte = static_cast<std::uint8_t>(byte | (0x80U >> static_cast<unsigned>(bit % 8)));
    }
    return mask;
}

std::optional<int> mask_length(std::array<std::uint8_t, 16> const& mask) {
    int length = 0;
    for (std::uint8_t const byte : mask)
        length += std::popcount(byte);
    return mask == mask_bytes(length) ? std::optional(length) : std::nullopt;
}

} // namespace lbc::xt
