#include "backends/iptables/xt_rule.hpp"

#include "backends/iptables/libiptc_family.hpp"

#include <fmt/format.h>

#include <linux/netfilter.h>
#include <linux/netfilter/xt_mark.h>

#include <algorithm>
#include <bit>
#include <cassert>

namespace lbc::xt {
namespace {

constexpr std::uint8_t mark_revision = 2;
constexpr int drop_verdict = -NF_DROP - 1;
constexpr int accept_verdict = -NF_ACCEPT - 1;

struct TargetWriter {
    Bytes& out;

    void operator()(SetMark const& set) const {
        append_extension(out, "MARK", mark_revision, xt_mark_tginfo2{set.mark.value, whole_mark});
    }
    void operator()(Jump const& jump) const { named(jump.chain); }
    void operator()(Goto const& go) const { named(go.chain); }
    void operator()(Return const&) const { named("RETURN"); }
    void operator()(Drop const&) const { named("DROP"); }
    template <typename Others>
    void operator()(Others const&) const {
        assert(false && "refuse_rule lets none pass");
    }

    void named(std::string_view name) const { append_extension(out, name, 0, 0); }
};

/// The first bytes of an address: `Address` is in_addr or in6_addr, in network order as IpAddress's bytes are.
template <typename Address>
Address address_of(std::array<std::uint8_t, 16> const& bytes) {
    Address address;
    static_assert(sizeof address <= sizeof bytes);
    std::memcpy(&address, bytes.data(), sizeof address);
    return address;
}

std::array<std::uint8_t, 16> mask_bytes(int length) {
    std::array<std::uint8_t, 16> mask{};
    for (int bit = 0; bit < length; ++bit) {
        auto& byte = mask[static_cast<std::size_t>(bit / 8)];
        byte = static_cast<std::uint8_t>(byte | (0x80U >> static_cast<unsigned>(bit % 8)));
    }
    return mask;
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
        // The `+` stays in the name as a sign to iptables-save; the mask ends before it.
        std::string const& name = when.in_interface->str();
        std::memcpy(head.iniface, name.data(), name.size());
        std::memset(head.iniface_mask, 0xff, when.in_interface->is_wildcard() ? name.size() - 1 : name.size() + 1);
    }
    head.proto = when.protocol;
    if (when.protocol != 0) {
        head.flags |= Tables::protocol_flag;
    }
    if (std::holds_alternative<Goto>(rule.then)) {
        head.flags |= Tables::goto_flag;
    }
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
    std::visit(TargetWriter{out}, rule.then);
    entry.next_offset = static_cast<std::uint16_t>(out.size() - begin);
    std::memcpy(out.data() + begin, &entry, sizeof entry);
}

/// Whether the name and its mask are a pattern that InterfacePattern can hold. No mask: any interface.
bool read_interface(char const (&name)[IFNAMSIZ], unsigned char const (&mask)[IFNAMSIZ], Matches& into) {
    auto const masked = static_cast<std::size_t>(std::ranges::find(mask, 0) - std::begin(mask));
    if (!std::all_of(std::begin(mask), std::begin(mask) + masked, [](unsigned char byte) { return byte == 0xff; }) ||
        !std::all_of(std::begin(mask) + masked, std::end(mask), [](unsigned char byte) { return byte == 0; })) {
        return false;
    }
    if (masked == 0) {
        return true;
    }
    std::string_view const written = text(name);
    auto const pattern = InterfacePattern::parse(written);
    if (!pattern || masked != (pattern->is_wildcard() ? written.size() - 1 : written.size() + 1)) {
        return false;
    }
    into.in_interface = *pattern;
    return true;
}

/// Whether the address and mask are a prefix. No mask: any address.
template <typename Address>
bool read_destination(Family family, Address const& address, Address const& mask, Matches& into) {
    std::array<std::uint8_t, 16> bytes{};
    std::array<std::uint8_t, 16> bits{};
    std::memcpy(bytes.data(), &address, sizeof address);
    std::memcpy(bits.data(), &mask, sizeof mask);
    int length = 0;
    for (std::uint8_t const byte : bits) {
        length += std::popcount(byte);
    }
    IpAddress const read(family, bytes);
    if (bits != mask_bytes(length) || Prefix::of(read, length).address != read) {
        return false;
    }
    if (length > 0) {
        into.destination = Prefix{read, length};
    }
    return true;
}

template <typename Head>
bool names_protocol(Head const& head, std::uint8_t protocol_flag) {
    bool const flagged = (head.flags & protocol_flag) == protocol_flag;
    return head.proto <= 255 && flagged == (protocol_flag == 0 || head.proto != 0);
}

template <typename Tables>
void read_head(typename Tables::Head const& head, Matches& into) {
    constexpr unsigned known_flags = Tables::protocol_flag | Tables::goto_flag;
    bool const modelled = head.invflags == 0 && (head.flags & ~known_flags) == 0 && all_zero(head.src) &&
                          all_zero(head.smsk) && all_zero(head.outiface_mask) &&
                          names_protocol(head, Tables::protocol_flag) &&
                          read_interface(head.iniface, head.iniface_mask, into) &&
                          read_destination(Tables::family, head.dst, head.dmsk, into);
    into.protocol = static_cast<std::uint8_t>(head.proto);
    if (!modelled) {
        into.unknown = fmt::format("ip:{}", hex(std::as_bytes(std::span(&head, 1))));
    }
}

Target read_verdict(ByteView target, std::string_view chain, bool is_goto) {
    auto const verdict = load_info<int>(target);
    if (!verdict) {
        return UnknownTarget{fmt::format("malformed:{}", hex(target))};
    }
    if (*verdict >= 0 && !chain.empty()) {
        return is_goto ? Target{Goto{std::string(chain)}} : Target{Jump{std::string(chain)}};
    }
    if (*verdict == drop_verdict && !is_goto) {
        return Drop{};
    }
    if (*verdict == XT_RETURN && !is_goto) {
        return Return{};
    }
    if (*verdict == accept_verdict && !is_goto) {
        return Accept{};
    }
    // A verdict of 0 or more that leads to no chain goes on with the next rule.
    return UnknownTarget{*verdict >= 0 ? "CONTINUE" : fmt::format("verdict:{}", *verdict)};
}

Target read_target(ByteView target, std::string_view chain, bool is_goto) {
    auto const head = load<ExtensionHead>(target);
    if (!head) {
        return UnknownTarget{fmt::format("malformed:{}", hex(target))};
    }
    if (text(head->name).empty()) {
        return read_verdict(target, chain, is_goto);
    }
    if (text(head->name) == "MARK" && head->revision == mark_revision && !is_goto) {
        if (auto const info = load_info<xt_mark_tginfo2>(target); info && info->mask == whole_mark) {
            return SetMark{Fwmark{info->mark}};
        }
    }
    return UnknownTarget{fmt::format("{}.{}:{}", text(head->name), head->revision, hex(target.subspan(sizeof *head)))};
}

/// Reads the matches; whether their sizes fill the run.
bool read_matches(ByteView matches, Matches& into) {
    while (!matches.empty()) {
        auto const head = load<ExtensionHead>(matches);
        if (!head || head->size < sizeof *head || head->size > matches.size()) {
            return false;
        }
        read_match(matches.first(head->size), into);
        matches = matches.subspan(head->size);
    }
    return true;
}

/// What an entry's fixed part says of it. (The struct itself ends in an array without a size: no std::optional of it.)
template <typename Tables>
struct Fixed {
    typename Tables::Head head;
    std::size_t target_offset;
};

/// The entry's fixed part, if its offsets lie in the entry in the right order.
template <typename Tables>
std::optional<Fixed<Tables>> load_fixed(ByteView bytes) {
    typename Tables::Entry entry;
    if (bytes.size() < sizeof entry) {
        return std::nullopt;
    }
    std::memcpy(&entry, bytes.data(), sizeof entry);
    if (entry.next_offset != bytes.size() || entry.target_offset < sizeof entry || entry.target_offset > bytes.size()) {
        return std::nullopt;
    }
    return Fixed<Tables>{Tables::head(entry), entry.target_offset};
}

template <typename Tables>
Rule read_entry(ByteView bytes, std::string_view chain) {
    Rule rule{{}, UnknownTarget{}, {}};
    auto const fixed = load_fixed<Tables>(bytes);
    if (!fixed) {
        rule.when.unknown = fmt::format("malformed:{}", hex(bytes));
        return rule;
    }
    read_head<Tables>(fixed->head, rule.when);
    ByteView const matches = bytes.first(fixed->target_offset).subspan(sizeof(typename Tables::Entry));
    if (!read_matches(matches, rule.when)) {
        rule.when.unknown = fmt::format("malformed:{}", hex(matches));
    }
    bool const is_goto = (fixed->head.flags & Tables::goto_flag) != 0;
    rule.then = read_target(bytes.subspan(fixed->target_offset), chain, is_goto);
    return rule;
}

template <typename Tables>
Bytes copy_with_target(ByteView entry, std::string_view target) {
    auto const fixed = load_fixed<Tables>(entry);
    auto head = fixed ? load<ExtensionHead>(entry, fixed->target_offset) : std::nullopt;
    if (!head || target.size() >= sizeof head->name) {
        return {};
    }
    Bytes copy(entry.begin(), entry.end());
    if (text(head->name).empty()) {
        // The kernel writes a name up to its NUL and leaves what was behind it.
        std::ranges::fill(head->name, '\0');
        std::memcpy(head->name, target.data(), target.size());
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
                   : fmt::format("`{}` cannot be the name of a chain of lbc's", name);
    }
};

} // namespace

std::string refuse_rule(Rule const& rule, Family family) {
    if (rule.when.destination && rule.when.destination->family() != family) {
        return fmt::format("{} is an address of the other family", rule.when.destination->str());
    }
    std::string const refusal = refuse_matches(rule.when);
    return refusal.empty() ? std::visit(TargetRefusal{rule}, rule.then) : refusal;
}

void append_rule(Rule const& rule, Family family, Bytes& out) {
    family == Family::ipv4 ? write_entry<Ipv4Tables>(rule, out) : write_entry<Ipv6Tables>(rule, out);
}

Rule read_rule(ByteView entry, Family family, std::string_view chain) {
    return family == Family::ipv4 ? read_entry<Ipv4Tables>(entry, chain) : read_entry<Ipv6Tables>(entry, chain);
}

Bytes portable_entry(ByteView entry, Family family, std::string_view target) {
    return family == Family::ipv4 ? copy_with_target<Ipv4Tables>(entry, target)
                                  : copy_with_target<Ipv6Tables>(entry, target);
}

void collect_extensions(Rule const& rule, std::set<Extension>& into) {
    collect_extensions(rule.when, into);
    if (std::holds_alternative<SetMark>(rule.then)) {
        into.insert({Extension::Kind::target, "MARK", mark_revision, "xt_mark"});
    }
}

} // namespace lbc::xt
