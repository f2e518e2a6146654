#include "backends/iptables/xt_rule.hpp"

#include "backends/iptables/libiptc_family.hpp"
#include "backends/iptables/xt_target.hpp"
#include "backends/iptables/xt_words.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <linux/netfilter/ipset/ip_set.h>

#include <algorithm>

namespace lbc::xt {
namespace {

/// Flags that negate a part of a rule's head: bits of `invflags` of ipt_ip and ip6t_ip6.
constexpr unsigned not_in_interface_flag = IPT_INV_VIA_IN;
constexpr unsigned not_out_interface_flag = IPT_INV_VIA_OUT;
constexpr unsigned not_source_flag = IPT_INV_SRCIP;
constexpr unsigned not_destination_flag = IPT_INV_DSTIP;
constexpr unsigned not_fragment_flag = IPT_INV_FRAG; // IPv4 alone
constexpr unsigned not_protocol_flag = XT_INV_PROTO;
static_assert(not_in_interface_flag == IP6T_INV_VIA_IN && not_out_interface_flag == IP6T_INV_VIA_OUT &&
              not_source_flag == IP6T_INV_SRCIP && not_destination_flag == IP6T_INV_DSTIP);

/// The first bytes of an address: `Address` is in_addr or in6_addr, in network order as IpAddress's bytes are.
template <typename Address>
Address address_of(std::array<std::uint8_t, 16> const& bytes) {
    Address address;
    static_assert(sizeof address <= sizeof bytes);
    std::memcpy(&address, bytes.data(), sizeof address);
    return address;
}

/// What `address_of` reads.
template <typename Address>
std::array<std::uint8_t, 16> bytes_of(Address const& address) {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &address, sizeof address);
    return bytes;
}

template <typename Tables>
typename Tables::Head write_head(Rule const& rule) {
    typename Tables::Head head{};
    Matches const& when = rule.when;
    if (when.destination) {
        head.dst = address_of<decltype(head.dst)>(when.destination->address.bytes());
        head.dmsk = address_of<decltype(head.dmsk)>(mask_bytes(when.destination->length));
    }
    if (when.in_interface) {
        // The `+` stays in the name for iptables-save; the mask ends before it.
        auto const name = when.in_interface->str();
        std::memcpy(head.iniface, name.data(), name.size());
        std::memset(head.iniface_mask, 0xff, when.in_interface->is_wildcard() ? name.size() - 1 : name.size() + 1);
    }
    head.proto = when.protocol;
    if (when.protocol != 0)
        head.flags |= Tables::protocol_flag;
    if (std::holds_alternative<Goto>(rule.then))
        head.flags |= Tables::goto_flag;
    return head;
}

template <typename Tables>
void write_entry(Rule const& rule, Bytes& out) {
    static_assert(aligned(sizeof(typename Tables::Entry)) == sizeof(typename Tables::Entry));
    std::size_t const begin = out.size();
    typename Tables::Entry entry{};
    Tables::head(entry) = write_head<Tables>(rule);
    out.resize(begin + sizeof entry);
    append_matches(rule.when, out);
    // A rule has at most three matches of less than 200 bytes: the sizes fit.
    entry.target_offset = static_cast<std::uint16_t>(out.size() - begin);
    append_target(rule.then, out);
    entry.next_offset = static_cast<std::uint16_t>(out.size() - begin);
    std::memcpy(out.data() + begin, &entry, sizeof entry);
}

/// The pattern of a name with its mask; an empty mask is `+`. None if InterfacePattern cannot represent it.
std::optional<InterfacePattern> pattern_of(char const (&name)[IFNAMSIZ], unsigned char const (&mask)[IFNAMSIZ]) {
    auto const masked = static_cast<std::size_t>(std::ranges::find(mask, 0) - std::begin(mask));
    if (!std::all_of(std::begin(mask), std::begin(mask) + masked, [](unsigned char byte) { return byte == 0xff; }) ||
        !std::all_of(std::begin(mask) + masked, std::end(mask), [](unsigned char byte) { return byte == 0; })) {
        return std::nullopt;
    }
    std::string_view const written = masked == 0 ? "+" : text(name);
    auto const pattern = InterfacePattern::parse(written);
    bool const fits =
        pattern && is_utf8(written) && masked == (pattern->is_wildcard() ? written.size() - 1 : written.size() + 1);
    return fits ? pattern : std::nullopt;
}

/// The text of an interface.
std::string interface_words(std::string_view option, char const (&name)[IFNAMSIZ],
                            unsigned char const (&mask)[IFNAMSIZ], bool inverted) {
    auto const pattern = pattern_of(name, mask);
    return fmt::format(
        "{}{} {}", negation(inverted), option,
        pattern ? printable(pattern->str())
                : fmt::format("hex:{}/{}", hex(std::as_bytes(std::span(name))), hex(std::as_bytes(std::span(mask)))));
}

template <typename Head>
void read_interfaces(Head const& head, Matches& into) {
    bool const not_in = (head.invflags & not_in_interface_flag) != 0;
    bool const not_out = (head.invflags & not_out_interface_flag) != 0;
    if (!all_zero(head.iniface_mask) || not_in) {
        into.in_interface = pattern_of(head.iniface, head.iniface_mask);
        into.not_in_interface = not_in && into.in_interface;
        if (!into.in_interface)
            add_unknown(into, interface_words("-i", head.iniface, head.iniface_mask, not_in));
    }
    if (!all_zero(head.outiface_mask) || not_out)
        add_unknown(into, interface_words("-o", head.outiface, head.outiface_mask, not_out));
}

template <typename Head>
void read_addresses(Family family, Head const& head, Matches& into) {
    bool const not_source = (head.invflags & not_source_flag) != 0;
    bool const not_destination = (head.invflags & not_destination_flag) != 0;
    if (!all_zero(head.src) || !all_zero(head.smsk) || not_source) {
        add_unknown(into, fmt::format("{}-s {}", negation(not_source),
                                      address_words(family, bytes_of(head.src), bytes_of(head.smsk))));
    }
    IpAddress const address(family, bytes_of(head.dst));
    auto const length = mask_length(bytes_of(head.dmsk));
    if (!length || Prefix::of(address, *length).address != address) {
        add_unknown(into, fmt::format("{}-d {}", negation(not_destination),
                                      address_words(family, bytes_of(head.dst), bytes_of(head.dmsk))));
    } else if (*length > 0 || not_destination) {
        into.destination = Prefix{address, *length};
        into.not_destination = not_destination;
    }
}

/// Whether lbc can read every flag, and the protocol is matched in the one way that iptables uses.
template <typename Tables>
bool is_plain(typename Tables::Head const& head) {
    constexpr unsigned flags = Tables::protocol_flag | Tables::goto_flag | Tables::fragment_flag;
    constexpr unsigned inversions = not_in_interface_flag | not_out_interface_flag | not_source_flag |
                                    not_destination_flag | not_protocol_flag |
                                    (Tables::fragment_flag != 0 ? not_fragment_flag : 0U);
    bool const flagged = (head.flags & Tables::protocol_flag) == Tables::protocol_flag;
    bool const is_fragment = (head.flags & Tables::fragment_flag) != 0;
    return (head.flags & ~flags) == 0 && (head.invflags & ~inversions) == 0 && head.proto <= 255 &&
           flagged == (Tables::protocol_flag == 0 || head.proto != 0) &&
           ((head.invflags & not_protocol_flag) == 0 || head.proto != 0) &&
           ((head.invflags & not_fragment_flag) == 0 || is_fragment);
}

template <typename Tables>
void read_head(typename Tables::Head const& head, Matches& into) {
    if (!is_plain<Tables>(head)) {
        add_unknown(into, fmt::format("ip:{}", hex(std::as_bytes(std::span(&head, 1)))));
        return;
    }
    read_addresses(Tables::family, head, into);
    read_interfaces(head, into);
    into.protocol = static_cast<std::uint8_t>(head.proto);
    into.not_protocol = (head.invflags & not_protocol_flag) != 0;
    if ((head.flags & Tables::fragment_flag) != 0)
        add_unknown(into, fmt::format("{}-f", negation((head.invflags & not_fragment_flag) != 0)));
}

/// Reads the matches; false unless their sizes fill the bytes.
bool read_matches(ByteView matches, Comments comments, Rule& into) {
    while (!matches.empty()) {
        auto const head = load<ExtensionHead>(matches);
        if (!head || head->size < sizeof *head || head->size > matches.size())
            return false;
        read_match(matches.first(head->size), comments, into);
        matches = matches.subspan(head->size);
    }
    return true;
}

/// Whether one of the matches gives packets a mark: `-m socket --restore-skmark`, from its revision 3 on (xt_socket.h).
bool change_mark(ByteView matches) {
    constexpr std::uint8_t first_revision = 3;
    constexpr std::byte restore_mark{1U << 2U}; // XT_SOCKET_RESTORESKMARK
    while (auto const head = load<ExtensionHead>(matches)) {
        if (head->size < sizeof *head || head->size > matches.size())
            return false;
        bool const has_flags = head->revision >= first_revision && head->size > sizeof *head;
        if (text(head->name) == "socket" && has_flags && (matches[sizeof *head] & restore_mark) != std::byte{})
            return true;
        matches = matches.subspan(head->size);
    }
    return false;
}

/// The fixed part of an entry. (The struct itself ends in an array without a size, so no std::optional can hold it.)
template <typename Tables>
struct Fixed {
    typename Tables::Head head;
    std::size_t target_offset;
};

/// The fixed part of an entry; none unless its offsets lie in the entry in the right order.
template <typename Tables>
std::optional<Fixed<Tables>> load_fixed(ByteView bytes) {
    typename Tables::Entry entry;
    if (bytes.size() < sizeof entry)
        return std::nullopt;
    std::memcpy(&entry, bytes.data(), sizeof entry);
    if (entry.next_offset != bytes.size() || entry.target_offset < sizeof entry || entry.target_offset > bytes.size())
        return std::nullopt;
    return Fixed<Tables>{Tables::head(entry), entry.target_offset};
}

template <typename Tables>
Rule read_entry(ByteView bytes, std::string_view chain, Comments comments) {
    Rule rule{{}, UnknownTarget{}, {}};
    auto const fixed = load_fixed<Tables>(bytes);
    if (!fixed) {
        rule.when.unknown = fmt::format("malformed:{}", hex(bytes));
        return rule;
    }
    read_head<Tables>(fixed->head, rule.when);
    ByteView const matches = bytes.first(fixed->target_offset).subspan(sizeof(typename Tables::Entry));
    if (!read_matches(matches, comments, rule))
        rule.when.unknown = fmt::format("malformed:{}", hex(matches));
    bool const is_goto = (fixed->head.flags & Tables::goto_flag) != 0;
    rule.then = read_target(bytes.subspan(fixed->target_offset), chain, is_goto);
    if (change_mark(matches)) {
        rule.then = UnknownTarget{"CONTINUE"};
        // A later match that fails does not undo the mark.
        rule.when.destination_ports.clear();
        rule.when.source_mac.reset();
        rule.when.mark.reset();
    }
    return rule;
}

template <typename Tables>
Bytes copy_with_target(ByteView entry, std::string_view target) {
    auto const fixed = load_fixed<Tables>(entry);
    auto head = fixed ? load<ExtensionHead>(entry, fixed->target_offset) : std::nullopt;
    if (!head || target.size() >= sizeof head->name)
        return {};
    Bytes copy(entry.begin(), entry.end());
    if (text(head->name).empty()) {
        // The kernel writes a name up to its NUL and leaves the bytes after it as they were.
        std::ranges::fill(head->name, '\0');
        std::ranges::copy(target, head->name);
        store(copy, fixed->target_offset, *head);
    }
    return copy;
}

struct TargetRefusal {
    Rule const& rule;

    std::string operator()(Jump const& jump) const { return chain(jump.chain); }
    std::string operator()(Goto const& go) const { return chain(go.chain); }
    std::string operator()(Return const&) const { return {}; }
    std::string operator()(SetMark const& set) const { return others(set.mask == whole_mark); }
    std::string operator()(MapMark const& map) const { return others(map.set.size() < IPSET_MAXNAMELEN); }
    std::string operator()(Drop const& drop) const { return others(drop == Drop{}); }
    template <typename Others>
    std::string operator()(Others const&) const {
        return others(false);
    }

    [[nodiscard]] std::string others(bool is_own) const {
        return is_own ? std::string{} : fmt::format("lbc cannot write the target of `{}`", to_string(rule));
    }
    static std::string chain(std::string_view name) {
        return is_own_chain(name) && name.size() < XT_EXTENSION_MAXNAMELEN
                   ? std::string{}
                   : fmt::format("`{}` cannot be the name of an own chain", name);
    }
};

} // namespace

std::string refuse_rule(Rule const& rule, Family family) {
    if (rule.when.destination && rule.when.destination->family() != family)
        return fmt::format("{} is an address of the other family", rule.when.destination->str());
    std::string const refusal = refuse_matches(rule.when);
    return refusal.empty() ? std::visit(TargetRefusal{rule}, rule.then) : refusal;
}

void append_rule(Rule const& rule, Family family, Bytes& out) {
    family == Family::ipv4 ? write_entry<Ipv4Tables>(rule, out) : write_entry<Ipv6Tables>(rule, out);
}

Rule read_rule(ByteView entry, Family family, std::string_view chain, Comments comments) {
    return family == Family::ipv4 ? read_entry<Ipv4Tables>(entry, chain, comments)
                                  : read_entry<Ipv6Tables>(entry, chain, comments);
}

Bytes portable_entry(ByteView entry, Family family, std::string_view target) {
    return family == Family::ipv4 ? copy_with_target<Ipv4Tables>(entry, target)
                                  : copy_with_target<Ipv6Tables>(entry, target);
}

void collect_extensions(Rule const& rule, std::set<Extension>& into) {
    collect_extensions(rule.when, into);
    if (std::holds_alternative<SetMark>(rule.then))
        into.insert({Extension::Kind::target, "MARK", mark_target_revision, "xt_mark"});
    else if (std::holds_alternative<MapMark>(rule.then))
        into.insert({Extension::Kind::target, "SET", set_target_revision, "xt_set"});
}

} // namespace lbc::xt
