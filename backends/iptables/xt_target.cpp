#include "backends/iptables/xt_target.hpp"

#include "backends/iptables/set_numbers.hpp"
#include "backends/iptables/xt_words.hpp"
#include "backends/restore/target_effects.hpp"

#include <fmt/format.h>

#include <linux/netfilter.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_set.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace lbc::xt {
namespace {

constexpr int drop_verdict = -NF_DROP - 1;
constexpr int accept_verdict = -NF_ACCEPT - 1;
constexpr int queue_verdict = -NF_QUEUE - 1;

/// `--map-set SET dst,dst --map-mark` without the set's index (libxt_SET.c).
constexpr xt_set_info_target_v3 map_info{.add_set = {IPSET_INVALID_ID, 0, 0},
                                         .del_set = {IPSET_INVALID_ID, 0, 0},
                                         .map_set = {IPSET_INVALID_ID, IPSET_DIM_TWO, 0},
                                         .flags = IPSET_FLAG_MAP_SKBMARK,
                                         .timeout = std::numeric_limits<std::uint32_t>::max()};

struct TargetWriter {
    Bytes& out;

    void operator()(SetMark const& set) const {
        append_extension(out, "MARK", mark_target_revision, xt_mark_tginfo2{set.mark.value, whole_mark});
    }
    void operator()(MapMark const& map) const {
        xt_set_info_target_v3 info = map_info;
        info.map_set.index = set_number(map.set).value_or(IPSET_INVALID_ID);
        append_extension(out, "SET", set_target_revision, info);
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

Target read_verdict(ByteView target, std::string_view chain, bool is_goto) {
    auto const verdict = load_info<int>(target);
    if (!verdict)
        return UnknownTarget{fmt::format("malformed:{}", hex(target))};
    if (*verdict >= 0 && !chain.empty())
        return is_goto ? Target{Goto{std::string(chain)}} : Target{Jump{std::string(chain)}};
    if (is_goto)
        return UnknownTarget{fmt::format("verdict:{}", *verdict)};
    // A verdict of 0 or more that leads to no chain continues with the next rule.
    if (*verdict >= 0)
        return Continue{};
    switch (*verdict) {
    case drop_verdict: return Drop{};
    case accept_verdict: return Accept{};
    case queue_verdict: return UnknownTarget{"QUEUE"};
    case XT_RETURN: return Return{};
    default: return UnknownTarget{fmt::format("verdict:{}", *verdict)};
    }
}

/// The effect of CONNMARK (xt_connmark.c). Revision 2 may shift marks, which is read as any mark.
template <typename Info>
std::optional<Target> connmark_effect(Info const& info, bool shifts) {
    constexpr auto name = "CONNMARK";
    bool const restores = info.mode == XT_CONNMARK_RESTORE;
    if (info.mode != XT_CONNMARK_SET && info.mode != XT_CONNMARK_SAVE && !restores)
        return std::nullopt;
    if (shifts)
        return restores ? Target{UnknownMark{name}} : Target{SetConnectionMark{.name = name, .is_any = true}};
    if (info.mode == XT_CONNMARK_SET)
        return SetConnectionMark{name, info.ctmask, info.ctmark};
    ConnmarkMasks const masks{info.nfmask, info.ctmask};
    return restores ? Target{restoring_mark(name, masks)} : Target{saving_mark(name, masks)};
}

std::optional<Target> connmark(ByteView target, std::uint8_t revision) {
    if (auto const info = load_info<xt_connmark_tginfo1>(target); info && revision == 1)
        return connmark_effect(*info, false);
    if (auto const info = load_info<xt_connmark_tginfo2>(target); info && revision == 2)
        return connmark_effect(*info, info->shift_bits != 0);
    return std::nullopt;
}

/// The effect of SET (xt_set.c): an entry of a set may give the packet its mark, if the target maps.
std::optional<Target> set(ByteView target, std::uint8_t revision) {
    if (revision == 1 || revision == 2)
        return Continue{"SET"};
    auto const info = load_info<xt_set_info_target_v3>(target);
    if (!info || revision != set_target_revision)
        return std::nullopt;
    if (info->map_set.index == IPSET_INVALID_ID)
        return Continue{"SET"};
    auto without_number = *info;
    without_number.map_set.index = IPSET_INVALID_ID;
    auto name =
        std::memcmp(&without_number, &map_info, sizeof map_info) == 0 ? set_name(info->map_set.index) : std::nullopt;
    return name ? Target{MapMark{std::move(*name)}} : Target{UnknownMark{"SET"}};
}

std::optional<Target> known_target(std::string_view name, std::uint8_t revision, ByteView target) {
    if (name == "MARK" && revision == mark_target_revision) {
        auto const info = load_info<xt_mark_tginfo2>(target);
        return info ? std::optional<Target>(SetMark{Fwmark{info->mark}, info->mask}) : std::nullopt;
    }
    if (name == "CONNMARK")
        return connmark(target, revision);
    if (name == "SET")
        return set(target, revision);
    if (name == "REJECT")
        return Drop{"REJECT"};
    if (is_readdressing_target(name))
        return Dnat{std::string(name)};
    if (is_continuing_target(name))
        return Continue{std::string(name), is_untracking_target(name)};
    return std::nullopt;
}

} // namespace

std::optional<int> verdict_of(ByteView target) {
    auto const head = load<ExtensionHead>(target);
    return head && head->name[0] == '\0' ? load<int>(target, sizeof *head) : std::nullopt;
}

std::string_view verdict_name(int verdict) {
    switch (verdict) {
    case drop_verdict: return "DROP";
    case accept_verdict: return "ACCEPT";
    case queue_verdict: return "QUEUE";
    case XT_RETURN: return "RETURN";
    default: return {};
    }
}

std::string const* led_to(Target const& target) {
    if (auto const* const jump = std::get_if<Jump>(&target))
        return &jump->chain;
    auto const* const go = std::get_if<Goto>(&target);
    return go != nullptr ? &go->chain : nullptr;
}

std::optional<int> own_verdict(Target const& target) {
    if (std::holds_alternative<Return>(target))
        return XT_RETURN;
    return std::holds_alternative<Drop>(target) ? std::optional(drop_verdict) : std::nullopt;
}

void store_verdict(Bytes& bytes, std::size_t offset, int verdict) {
    ExtensionHead const head{static_cast<std::uint16_t>(aligned(sizeof(ExtensionHead) + sizeof verdict)), {}, 0};
    store(bytes, offset, head);
    store(bytes, offset + sizeof head, verdict);
}

void append_target(Target const& target, Bytes& out) { std::visit(TargetWriter{out}, target); }

Target read_target(ByteView target, std::string_view chain, bool is_goto) {
    auto const head = load<ExtensionHead>(target);
    if (head && text(head->name).empty())
        return read_verdict(target, chain, is_goto);
    auto known = head && !is_goto ? known_target(text(head->name), head->revision, target) : std::nullopt;
    return known ? *known : UnknownTarget{extension_words("", target)};
}

} // namespace lbc::xt
