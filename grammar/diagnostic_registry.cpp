#include "grammar/diagnostic.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

namespace lbc {

/// docs/messages.md: a section for each id, in the order of `DiagId`.
extern std::string_view const messages_page;

namespace {

constexpr std::array registry{
    DiagInfo{DiagId::syntax, "syntax", Severity::error},
    DiagInfo{DiagId::unclosed_block, "unclosed-block", Severity::error},
    DiagInfo{DiagId::unclosed_string, "unclosed-string", Severity::error},
    DiagInfo{DiagId::bad_escape, "bad-escape", Severity::error},
    DiagInfo{DiagId::stray_character, "stray-character", Severity::error},
    DiagInfo{DiagId::misplaced_block, "misplaced-block", Severity::error},
    DiagInfo{DiagId::cannot_read, "cannot-read", Severity::error},
    DiagInfo{DiagId::include_cycle, "include-cycle", Severity::error},
    DiagInfo{DiagId::include_no_match, "include-no-match", Severity::error},
    DiagInfo{DiagId::include_empty, "include-empty", Severity::warning},
    DiagInfo{DiagId::include_outside, "include-outside", Severity::error},
    DiagInfo{DiagId::too_large, "too-large", Severity::error},
    DiagInfo{DiagId::unknown_statement, "unknown-statement", Severity::error},
    DiagInfo{DiagId::duplicate_statement, "duplicate-statement", Severity::error},
    DiagInfo{DiagId::missing_statement, "missing-statement", Severity::error},
    DiagInfo{DiagId::missing_value, "missing-value", Severity::error},
    DiagInfo{DiagId::extra_value, "extra-value", Severity::error},
    DiagInfo{DiagId::missing_block, "missing-block", Severity::error},
    DiagInfo{DiagId::unexpected_block, "unexpected-block", Severity::error},
    DiagInfo{DiagId::bad_name, "bad-name", Severity::error},
    DiagInfo{DiagId::duplicate_name, "duplicate-name", Severity::error},
    DiagInfo{DiagId::unknown_director, "unknown-director", Severity::error},
    DiagInfo{DiagId::unknown_pool, "unknown-pool", Severity::error},
    DiagInfo{DiagId::unknown_vrrp, "unknown-vrrp", Severity::error},
    DiagInfo{DiagId::unknown_let, "unknown-let", Severity::error},
    DiagInfo{DiagId::let_cycle, "let-cycle", Severity::error},
    DiagInfo{DiagId::let_too_long, "let-too-long", Severity::error},
    DiagInfo{DiagId::unknown_value, "unknown-value", Severity::error},
    DiagInfo{DiagId::bad_number, "bad-number", Severity::error},
    DiagInfo{DiagId::number_range, "number-range", Severity::error},
    DiagInfo{DiagId::port_range, "port-range", Severity::error},
    DiagInfo{DiagId::reversed_range, "reversed-range", Severity::error},
    DiagInfo{DiagId::bad_address, "bad-address", Severity::error},
    DiagInfo{DiagId::host_bits, "host-bits", Severity::error},
    DiagInfo{DiagId::bad_mac, "bad-mac", Severity::error},
    DiagInfo{DiagId::bad_time, "bad-time", Severity::error},
    DiagInfo{DiagId::bad_interface, "bad-interface", Severity::error},
    DiagInfo{DiagId::bad_string, "bad-string", Severity::error},
    DiagInfo{DiagId::vip_not_unicast, "vip-not-unicast", Severity::error},
    DiagInfo{DiagId::duplicate_vip, "duplicate-vip", Severity::error},
    DiagInfo{DiagId::duplicate_mark, "duplicate-mark", Severity::error},
    DiagInfo{DiagId::duplicate_mac, "duplicate-mac", Severity::error},
    DiagInfo{DiagId::duplicate_address, "duplicate-address", Severity::error},
    DiagInfo{DiagId::missing_mac, "missing-mac", Severity::error},
    DiagInfo{DiagId::missing_address, "missing-address", Severity::error},
    DiagInfo{DiagId::unicast_address, "unicast-address", Severity::error},
    DiagInfo{DiagId::missing_mark, "missing-mark", Severity::error},
    DiagInfo{DiagId::marks_full, "marks-full", Severity::error},
    DiagInfo{DiagId::no_real_server, "no-real-server", Severity::error},
    DiagInfo{DiagId::real_is_vip, "real-is-vip", Severity::error},
    DiagInfo{DiagId::nat_to_director, "nat-to-director", Severity::error},
    DiagInfo{DiagId::port_translation, "port-translation", Severity::error},
    DiagInfo{DiagId::one_packet_not_udp, "one-packet-not-udp", Severity::error},
    DiagInfo{DiagId::flag_scheduler, "flag-scheduler", Severity::error},
    DiagInfo{DiagId::connection_limits, "connection-limits", Severity::error},
    DiagInfo{DiagId::duplicate_real, "duplicate-real", Severity::error},
    DiagInfo{DiagId::check_option, "check-option", Severity::error},
    DiagInfo{DiagId::check_port, "check-port", Severity::error},
    DiagInfo{DiagId::guard_requires, "guard-requires", Severity::error},
    DiagInfo{DiagId::packet_loop, "packet-loop", Severity::error},
    DiagInfo{DiagId::duplicate_router_id, "duplicate-router-id", Severity::error},
    DiagInfo{DiagId::keepalived_limit, "keepalived-limit", Severity::error},
    DiagInfo{DiagId::check_through_vip, "check-through-vip", Severity::error},
    DiagInfo{DiagId::nft_interface, "nft-interface", Severity::error},
    DiagInfo{DiagId::command_not_allowed, "command-not-allowed", Severity::error},
    DiagInfo{DiagId::unknown_scheduler, "unknown-scheduler", Severity::warning},
    DiagInfo{DiagId::vip_not_carried, "vip-not-carried", Severity::warning},
    DiagInfo{DiagId::vip_network, "vip-network", Severity::warning},
    DiagInfo{DiagId::check_not_run, "check-not-run", Severity::warning},
    DiagInfo{DiagId::all_drained, "all-drained", Severity::warning},
    DiagInfo{DiagId::virtual_mac_unlisted, "virtual-mac-unlisted", Severity::warning},
    DiagInfo{DiagId::unused, "unused", Severity::warning},
    DiagInfo{DiagId::foreign_mark, "foreign-mark", Severity::warning},
    DiagInfo{DiagId::mark_collision, "mark-collision", Severity::warning},
    DiagInfo{DiagId::redundant_value, "redundant-value", Severity::warning},
    DiagInfo{DiagId::udp_failover, "udp-failover", Severity::warning},
    DiagInfo{DiagId::sync_marks_differ, "sync-marks-differ", Severity::warning},
    DiagInfo{DiagId::tunnel_guard, "tunnel-guard", Severity::warning},
    DiagInfo{DiagId::stale_loop, "stale-loop", Severity::warning},
    DiagInfo{DiagId::not_in_output, "not-in-output", Severity::warning},
    DiagInfo{DiagId::machine_peer_mac, "machine-peer-mac", Severity::error},
    DiagInfo{DiagId::machine_mac, "machine-mac", Severity::warning},
    DiagInfo{DiagId::machine_director, "machine-director", Severity::warning},
    DiagInfo{DiagId::machine_interface, "machine-interface", Severity::warning},
    DiagInfo{DiagId::machine_vrrp_interface, "machine-vrrp-interface", Severity::warning},
    DiagInfo{DiagId::machine_address, "machine-address", Severity::warning},
};

/// The table is written by hand: that it follows the enumeration is checked here, since `info` indexes.
constexpr bool in_order() {
    for (std::size_t i = 0; i < registry.size(); ++i)
        if (static_cast<std::size_t>(registry[i].id) != i || registry[i].slug.empty())
            return false;
    return true;
}
static_assert(registry.size() == diag_count, "one entry for each DiagId");
static_assert(in_order(), "entries in the order of DiagId");

} // namespace

std::span<DiagInfo const, diag_count> all_diagnostics() { return registry; }

DiagInfo const& info(DiagId id) {
    assert(id < DiagId::count_);
    return registry[static_cast<std::size_t>(id)];
}

std::string_view all_explanations() { return messages_page; }

std::string_view explanation(DiagInfo const& entry) {
    auto const heading =
        "\n## " + std::string(entry.slug) + "\n\n*" + (entry.severity == Severity::error ? "Error" : "Warning") + ".* ";
    auto const begin = messages_page.find(heading);
    if (begin == std::string_view::npos)
        return {};
    auto const text = messages_page.substr(begin + heading.size());
    return text.substr(0, std::min(text.find("\n\n## "), text.find_last_not_of('\n') + 1));
}

} // namespace lbc
