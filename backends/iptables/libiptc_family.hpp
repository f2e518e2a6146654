// libip4tc and libip6tc under one set of names, so that what is the same for both families is written once. Only for
// the sources of this folder.
#pragma once

#include "compiler/base/types.hpp"

#include <libiptc/libiptc.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string_view>

// libip6tc.h declares ip6tc_strerror as a C++ function. What it includes itself is included above.
extern "C" {
#include <libiptc/libip6tc.h>
}

namespace lbc {

inline constexpr std::string_view mangle_table = "mangle";

struct Ipv4Tables {
    using Entry = ipt_entry;
    using Head = ipt_ip;
    using Info = ipt_getinfo;
    using GetEntries = ipt_get_entries;
    using Replace = ipt_replace;

    static constexpr Family family = Family::ipv4;
    static constexpr int domain = AF_INET;
    static constexpr int level = IPPROTO_IP;
    static constexpr int get_info = IPT_SO_GET_INFO;
    static constexpr int get_entries = IPT_SO_GET_ENTRIES;
    static constexpr int set_replace = IPT_SO_SET_REPLACE;
    static constexpr int set_add_counters = IPT_SO_SET_ADD_COUNTERS;
    static constexpr int match_revision = IPT_SO_GET_REVISION_MATCH;
    static constexpr int target_revision = IPT_SO_GET_REVISION_TARGET;
    static constexpr std::uint8_t protocol_flag = 0; // IPv4 has no flag: a protocol other than 0 always matches
    static constexpr std::uint8_t goto_flag = IPT_F_GOTO;
    static constexpr std::uint8_t fragment_flag = IPT_F_FRAG;
    static constexpr char const* names_file = "/proc/net/ip_tables_names";
    static constexpr char const* tables_module = "ip_tables";
    static constexpr char const* mangle_module = "iptable_mangle";
    static constexpr char const* mangle_option = "CONFIG_IP_NF_MANGLE";

    static Head& head(Entry& entry) { return entry.ip; }
    static Head const& head(Entry const& entry) { return entry.ip; }

    static constexpr auto* init = &iptc_init;
    static constexpr auto* free = &iptc_free;
    static constexpr auto* commit = &iptc_commit;
    static constexpr auto* strerror = &iptc_strerror;
    static constexpr auto* first_chain = &iptc_first_chain;
    static constexpr auto* next_chain = &iptc_next_chain;
    static constexpr auto* first_rule = &iptc_first_rule;
    static constexpr auto* next_rule = &iptc_next_rule;
    static constexpr auto* target = &iptc_get_target;
    static constexpr auto* is_builtin = &iptc_builtin;
    static constexpr auto* policy = &iptc_get_policy;
    static constexpr auto* set_policy = &iptc_set_policy;
    static constexpr auto* create_chain = &iptc_create_chain;
    static constexpr auto* delete_chain = &iptc_delete_chain;
    static constexpr auto* references = &iptc_get_references;
    static constexpr auto* flush = &iptc_flush_entries;
    static constexpr auto* append = &iptc_append_entry;
    static constexpr auto* insert = &iptc_insert_entry;
    static constexpr auto* delete_rule = &iptc_delete_num_entry;
};

struct Ipv6Tables {
    using Entry = ip6t_entry;
    using Head = ip6t_ip6;
    using Info = ip6t_getinfo;
    using GetEntries = ip6t_get_entries;
    using Replace = ip6t_replace;

    static constexpr Family family = Family::ipv6;
    static constexpr int domain = AF_INET6;
    static constexpr int level = IPPROTO_IPV6;
    static constexpr int get_info = IP6T_SO_GET_INFO;
    static constexpr int get_entries = IP6T_SO_GET_ENTRIES;
    static constexpr int set_replace = IP6T_SO_SET_REPLACE;
    static constexpr int set_add_counters = IP6T_SO_SET_ADD_COUNTERS;
    static constexpr int match_revision = IP6T_SO_GET_REVISION_MATCH;
    static constexpr int target_revision = IP6T_SO_GET_REVISION_TARGET;
    static constexpr std::uint8_t protocol_flag = IP6T_F_PROTO;
    static constexpr std::uint8_t goto_flag = IP6T_F_GOTO;
    static constexpr std::uint8_t fragment_flag = 0; // IPv6 has a separate match for it
    static constexpr char const* names_file = "/proc/net/ip6_tables_names";
    static constexpr char const* tables_module = "ip6_tables";
    static constexpr char const* mangle_module = "ip6table_mangle";
    static constexpr char const* mangle_option = "CONFIG_IP6_NF_MANGLE";

    static Head& head(Entry& entry) { return entry.ipv6; }
    static Head const& head(Entry const& entry) { return entry.ipv6; }

    static constexpr auto* init = &ip6tc_init;
    static constexpr auto* free = &ip6tc_free;
    static constexpr auto* commit = &ip6tc_commit;
    static constexpr auto* strerror = &ip6tc_strerror;
    static constexpr auto* first_chain = &ip6tc_first_chain;
    static constexpr auto* next_chain = &ip6tc_next_chain;
    static constexpr auto* first_rule = &ip6tc_first_rule;
    static constexpr auto* next_rule = &ip6tc_next_rule;
    static constexpr auto* target = &ip6tc_get_target;
    static constexpr auto* is_builtin = &ip6tc_builtin;
    static constexpr auto* policy = &ip6tc_get_policy;
    static constexpr auto* set_policy = &ip6tc_set_policy;
    static constexpr auto* create_chain = &ip6tc_create_chain;
    static constexpr auto* delete_chain = &ip6tc_delete_chain;
    static constexpr auto* references = &ip6tc_get_references;
    static constexpr auto* flush = &ip6tc_flush_entries;
    static constexpr auto* append = &ip6tc_append_entry;
    static constexpr auto* insert = &ip6tc_insert_entry;
    static constexpr auto* delete_rule = &ip6tc_delete_num_entry;
};

} // namespace lbc
