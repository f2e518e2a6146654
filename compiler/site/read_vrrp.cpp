#include "compiler/site/readers.hpp"

#include <array>

namespace lbc {
namespace {

struct VrrpDraft {
    Vrrp vrrp;
    Site const& site;
};

void read_vip(Arguments& in, VrrpDraft& draft) {
    in.list([&] {
        auto const address = in.value(parse_interface_address, "an address with its prefix length");
        if (!address)
            return;
        VrrpVip vip{address->first, address->second, {}, in.last()};
        if (in.accept("dev"))
            vip.device = in.value(parse_device, "an interface").value_or("");
        draft.vrrp.vips.push_back(std::move(vip));
    });
}

void read_priority(Arguments& in, VrrpDraft& draft) {
    in.list([&] {
        auto const id = read_director_name(in, draft.site);
        auto const name = in.last();
        // 255 is the priority of the address owner, and 0 that of a master that steps down (RFC 5798, 5.2.4).
        auto const priority = in.number<std::uint8_t>({"priority", 1, 254});
        if (!id || !priority)
            return;
        if (std::ranges::find(draft.vrrp.priorities, *id, &std::pair<DirectorId, std::uint8_t>::first) !=
            draft.vrrp.priorities.end())
            in.fail(DiagId::duplicate_statement, name, "this director has a priority already");
        else
            draft.vrrp.priorities.emplace_back(*id, *priority);
    });
    std::ranges::sort(draft.vrrp.priorities);
}

/// `unicast`, `unicast off`, or `unicast lb1 10.20.0.2, lb2 10.20.0.3`.
void read_unicast(Arguments& in, VrrpDraft& draft) {
    auto& given = draft.vrrp.unicast_addresses;
    draft.vrrp.unicast = read_switch(in);
    if (!draft.vrrp.unicast || in.done())
        return;
    in.list([&] {
        auto const id = read_director_name(in, draft.site);
        auto const name = in.last();
        auto const address = in.value(parse_host_address, "an address");
        if (!id || !address)
            return;
        auto const& own = draft.site[*id];
        if (std::ranges::any_of(given, [&](auto const& entry) { return entry.first == *id; }))
            in.fail(DiagId::duplicate_statement, name, "this director has an address already");
        else if (std::ranges::find(own.addresses, *address, &Located<IpAddress>::value) == own.addresses.end())
            in.fail(DiagId::unicast_address, in.last(),
                    fmt::format("`{}` is no `address` of director `{}`", address->str(), own.name.value))
                .note(own.span, "the director");
        else
            given.emplace_back(*id, Located<IpAddress>{*address, in.last()});
    });
    std::ranges::sort(given, {}, [](auto const& entry) { return entry.first; });
}

void read_track(Arguments& in, VrrpDraft& draft) {
    if (in.accept("interface")) {
        in.list([&] {
            if (auto name = in.value(parse_device, "an interface"))
                draft.vrrp.track_interfaces.push_back(std::move(*name));
        });
        return;
    }
    if (!in.accept("script")) {
        in.fail(DiagId::unknown_value, in.here(), "expected `track interface NAME` or `track script \"COMMAND\"`");
        return;
    }
    TrackScript script;
    script.command = read_command(in);
    while (!in.done() && !in.at_comma()) {
        if (in.option("weight")) {
            script.weight = in.value(
                [](std::string_view text) -> Value<int> {
                    auto const negative = text.starts_with('-');
                    auto const number = parse_number(negative ? text.substr(1) : text, {"weight", 0, 253});
                    if (!number)
                        return std::unexpected(number.error());
                    return negative ? -static_cast<int>(*number) : static_cast<int>(*number);
                },
                "a weight");
        } else if (in.option("every")) {
            script.every = in.time();
            if (!in.failed() && (script.every->count() == 0 || script.every->count() % 1000 != 0))
                in.fail(DiagId::bad_time, in.last(), "keepalived runs a script every whole number of seconds");
        } else {
            break;
        }
    }
    draft.vrrp.track_scripts.push_back(std::move(script));
}

template <auto member>
void read_time(Arguments& in, VrrpDraft& draft) {
    draft.vrrp.*member = in.time();
    if (!in.failed() && draft.vrrp.*member == Milliseconds(0))
        in.fail(DiagId::number_range, in.last(), "this time is longer than 0");
}

constexpr std::size_t longest_secret = 8; // RFC 2338, 5.3.6

void read_auth(Arguments& in, VrrpDraft& draft) {
    draft.vrrp.auth = in.string("a text").value_or("");
    if (draft.vrrp.auth.size() > longest_secret)
        in.fail(DiagId::bad_string, in.last(), fmt::format("VRRP's secret has {} bytes at most", longest_secret));
}

void read_advert(Arguments& in, VrrpDraft& draft) {
    read_time<&Vrrp::advert>(in, draft);
    auto const& advert = draft.vrrp.advert;
    if (!in.failed() && advert && (advert->count() % 10 != 0 || *advert > std::chrono::seconds(255)))
        in.fail(DiagId::bad_time, in.last(), "an interval is 10ms to 255s, in steps of 10ms");
}

void read_preempt_delay(Arguments& in, VrrpDraft& draft) {
    read_time<&Vrrp::preempt_delay>(in, draft);
    if (!in.failed() && draft.vrrp.preempt_delay > std::chrono::seconds(1000))
        in.fail(DiagId::number_range, in.last(), "a delay is 1000s at most");
}

template <auto member>
void read_flag(Arguments& in, VrrpDraft& draft) {
    draft.vrrp.*member = read_switch(in);
}

constexpr std::array vrrp_rules{
    StatementRule<VrrpDraft>{"vip", Occurs::repeated, Block::none, read_vip},
    StatementRule<VrrpDraft>{"interface", Occurs::required, Block::none,
                             [](Arguments& in, VrrpDraft& draft) {
                                 draft.vrrp.interface = in.value(parse_device, "an interface").value_or("");
                             }},
    StatementRule<VrrpDraft>{"router-id", Occurs::required, Block::none,
                             [](Arguments& in, VrrpDraft& draft) {
                                 draft.vrrp.router_id =
                                     in.number<std::uint8_t>({"router-id", 1, 255}).value_or(std::uint8_t{0});
                             }},
    StatementRule<VrrpDraft>{"priority", Occurs::required, Block::none, read_priority},
    StatementRule<VrrpDraft>{"advert", Occurs::once, Block::none, read_advert},
    StatementRule<VrrpDraft>{"nopreempt", Occurs::once, Block::none,
                             [](Arguments& in, VrrpDraft& draft) { draft.vrrp.preempt = !read_switch(in); }},
    StatementRule<VrrpDraft>{"preempt-delay", Occurs::once, Block::none, read_preempt_delay},
    StatementRule<VrrpDraft>{"unicast", Occurs::once, Block::none, read_unicast},
    StatementRule<VrrpDraft>{"auth", Occurs::once, Block::none, read_auth},
    StatementRule<VrrpDraft>{"virtual-mac", Occurs::once, Block::none, read_flag<&Vrrp::virtual_mac>},
    StatementRule<VrrpDraft>{"track", Occurs::repeated, Block::none, read_track},
    StatementRule<VrrpDraft>{"notify", Occurs::once, Block::none,
                             [](Arguments& in, VrrpDraft& draft) { draft.vrrp.notify = read_command(in); }},
    StatementRule<VrrpDraft>{
        "group", Occurs::once, Block::none,
        [](Arguments& in, VrrpDraft& draft) { draft.vrrp.group = in.value(parse_name, "a group").value_or(""); }},
};

struct SyncDraft {
    Sync sync;
    Site const& site;
};

void read_instance(Arguments& in, SyncDraft& draft) {
    auto const word = in.word("a `vrrp` instance");
    if (!word)
        return;
    std::vector<std::string_view> names;
    for (auto const& vrrp : draft.site.vrrps)
        names.push_back(vrrp.name.value);
    auto const at = std::ranges::find(names, word->text());
    if (at == names.end())
        in.fail(DiagId::unknown_vrrp, word->span(),
                fmt::format("`{}` is no `vrrp` of this site{}", word->text(),
                            did_you_mean(word->text(), names, in.diagnostics().errors())));
    else
        draft.sync.instance = static_cast<std::size_t>(at - names.begin());
}

// The kernel replaces a size outside these bounds by the nearest bound (start_sync_thread in ip_vs_sync.c). A UDP
// packet has at most 65535 bytes with its headers, and a backup needs room for the messages of any master.
constexpr std::uint16_t smallest_sync_message = 1024;
constexpr std::uint16_t largest_sync_message = 65507;
constexpr std::uint16_t largest_sync_message_ipv6 = 65487;

constexpr std::array sync_rules{
    StatementRule<SyncDraft>{"interface", Occurs::required, Block::none,
                             [](Arguments& in, SyncDraft& draft) {
                                 draft.sync.interface = in.value(parse_device, "an interface").value_or("");
                             }},
    StatementRule<SyncDraft>{"id", Occurs::once, Block::none,
                             [](Arguments& in, SyncDraft& draft) {
                                 draft.sync.id = in.number<std::uint8_t>({"id", 0, 255}).value_or(std::uint8_t{0});
                             }},
    StatementRule<SyncDraft>{"instance", Occurs::once, Block::none, read_instance},
    StatementRule<SyncDraft>{"maxlen", Occurs::once, Block::none,
                             [](Arguments& in, SyncDraft& draft) {
                                 draft.sync.maxlen =
                                     in.number<std::uint16_t>({"maxlen", smallest_sync_message, largest_sync_message});
                             }},
    StatementRule<SyncDraft>{"group", Occurs::once, Block::none,
                             [](Arguments& in, SyncDraft& draft) {
                                 draft.sync.group = in.value(parse_address, "a multicast address");
                                 auto const& group = draft.sync.group;
                                 auto const v4 = group && group->family() == Family::ipv4;
                                 auto const first = group ? group->bytes()[0] : 0;
                                 if (group && (v4 ? first < 224 || first > 239 : first != 0xFF))
                                     in.fail(DiagId::bad_address, in.last(),
                                             fmt::format("`{}` is no multicast address", group->str()));
                             }},
    StatementRule<SyncDraft>{"port", Occurs::once, Block::none,
                             [](Arguments& in, SyncDraft& draft) { draft.sync.port = in.value(parse_port, "a port"); }},
    StatementRule<SyncDraft>{
        "ttl", Occurs::once, Block::none,
        [](Arguments& in, SyncDraft& draft) { draft.sync.ttl = in.number<std::uint8_t>({"ttl", 1, 255}); }},
};

} // namespace

std::optional<Vrrp> read_vrrp(ast::Node const& node, Site const& site, Reading reading) {
    auto name = read_block_name(node, reading);
    VrrpDraft draft{{}, site};
    draft.vrrp.span = node.span();
    if (!name && !node.has_block())
        return std::nullopt;
    if (check_block(node, Block::required, reading.diagnostics))
        read_statements<vrrp_rules>(node.block(), node, "a `vrrp`", reading, draft);
    if (!name)
        return std::nullopt;
    draft.vrrp.name = std::move(*name);
    return std::move(draft.vrrp);
}

std::optional<Sync> read_sync(ast::Node const& node, Site const& site, Reading reading) {
    SyncDraft draft{{}, site};
    draft.sync.span = node.span();
    if (!check_block(node, Block::required, reading.diagnostics))
        return std::nullopt;
    Arguments(node, reading.lets, {}, reading.diagnostics).finish();
    read_statements<sync_rules>(node.block(), node, "`sync`", reading, draft);
    auto const& sync = draft.sync;
    if (sync.group && sync.group->family() == Family::ipv6 && sync.maxlen.value_or(0) > largest_sync_message_ipv6)
        reading.diagnostics.report(DiagId::number_range, node.keyword_span(),
                                   "maxlen {} is out of range ({} to {}) with an IPv6 group", *sync.maxlen,
                                   smallest_sync_message, largest_sync_message_ipv6);
    return std::move(draft.sync);
}

} // namespace lbc
