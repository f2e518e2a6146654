#!/bin/sh
# The load balancing of an LVS site, for each of its directors. Made by lbc from the site file: change that instead.
#
#     sh rules.sh [apply|show|remove] [DIRECTOR]
#
# apply (the default) brings this machine to what stands below for its director; again, it changes nothing more.
# show prints what is there: rules with counters, virtual services with connections. remove takes all of it off.
# DIRECTOR may be left out where a director has this machine's host name, or a MAC of it.
#
# Only the chains LBC and LBC-* of the mangle tables, the jumps into them, the sets LBC-4-* and LBC-6-*, and the virtual
# services with the site's marks are touched. Everything is read, and both rule sets are tried, before the first change.
# Then: virtual services and real servers are added and edited, each mangle table changes in one transaction, IPv4
# first, and at last the virtual services and real servers that the site no longer has are removed.
#
# Environment: IPTABLES, IP6TABLES, IPSET and IPVSADM name the programs (iptables, ip6tables, ipset, ipvsadm), of
# iptables-legacy or iptables-nft, with PROGRAM-restore beside them. LBC_ONLY=marks or LBC_ONLY=ipvs does that part
# alone.
#
# Exit status: 0 done; 1 a step failed, the steps before it stay done, and another run finishes the work; 2 wrong usage,
# or no director fits; 3 something is missing or not permitted, and nothing was changed.
set -eu

# Virtual services with these marks are the site's, on whichever director.
first_mark=256 last_mark=511 own_marks='328 401'
ipvs=lbc
sysctls=''
sync=no # both sync daemons
directors='lb1 lb2 lb3'

# director_of name|host|mac VALUE: sets director where VALUE is one's.
director_of() {
    case $1/$2 in
    'name/lb1' | 'host/lb1' | 'mac/52:54:00:40:00:11') director='lb1' ;;
    'name/lb2' | 'host/lb2' | 'mac/52:54:00:40:00:12') director='lb2' ;;
    'name/lb3' | 'host/lb3' | 'mac/52:54:00:40:00:13' | 'mac/52:54:00:40:01:13') director='lb3' ;;
    esac
}

# wanted ipv4|ipv6|services: what $director is to have, as rules and as ipvsadm takes it.
wanted() {
    case $director/$1 in

# ==== lb1 ====

    'lb1/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:12 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:13 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:01:13 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb1/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
END

# ==== lb2 ====

    'lb2/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:11 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:13 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:01:13 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i eth0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb2/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
END

# ==== lb3 ====

    'lb3/ipv4') cat <<'END' ;;
:LBC - [0:0]
:LBC-GUARD - [0:0]
:LBC-OUT - [0:0]
:LBC-PEER - [0:0]

# what this director sends to itself
-A LBC -i lo -j RETURN
# what another director has balanced already
-A LBC -m mac --mac-source 52:54:00:40:00:11 -g LBC-PEER
-A LBC -m mac --mac-source 52:54:00:40:00:12 -g LBC-PEER
# web
-A LBC -d 192.168.40.100/32 -i bond0 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x191/0xffffffff
# reports
-A LBC -d 192.168.40.101/32 -i bond0 -p tcp -m tcp --dport 8000:8099 -j MARK --set-xmark 0x148/0xffffffff

# a changed mark routes anew: to this box
-A LBC-GUARD -d 192.168.40.100/32 -j MARK --set-xmark 0x0/0xffffffff
-A LBC-GUARD -d 192.168.40.101/32 -j MARK --set-xmark 0x0/0xffffffff

# what IPVS would forward a second time
-A LBC-OUT -m mark --mark 0x1ff -g LBC-GUARD

# web
-A LBC-PEER -d 192.168.40.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1ff/0xffffffff
# reports
-A LBC-PEER -d 192.168.40.101/32 -p tcp -m tcp --dport 8000:8099 -j MARK --set-xmark 0x1ff/0xffffffff

-A PREROUTING -j LBC
-A OUTPUT -j LBC-OUT
END
    'lb3/services') cat <<'END' ;;
# web
-A -f 401 -s wrr -p 600
-a -f 401 -r 192.168.40.11:0 -g -w 1
-a -f 401 -r 192.168.40.12:0 -g -w 1
-a -f 401 -r 192.168.40.13:0 -g -w 1
-a -f 401 -r 192.168.40.21:0 -g -w 4
-a -f 401 -r 192.168.40.22:0 -g -w 4
-a -f 401 -r 192.168.40.23:0 -g -w 4
-a -f 401 -r 192.168.40.24:0 -g -w 4
-a -f 401 -r 192.168.40.25:0 -g -w 4
# reports
-A -f 328 -s wrr
-a -f 328 -r 192.168.40.11:0 -g -w 1
-a -f 328 -r 192.168.40.12:0 -g -w 1
-a -f 328 -r 192.168.40.13:0 -g -w 1
-a -f 328 -r 192.168.40.21:0 -g -w 4
-a -f 328 -r 192.168.40.22:0 -g -w 4
-a -f 328 -r 192.168.40.23:0 -g -w 4
-a -f 328 -r 192.168.40.24:0 -g -w 4
-a -f 328 -r 192.168.40.25:0 -g -w 4
END
    esac
}

# ==== How it is done: the same for every site ====

say() { printf 'lbc: %s\n' "$*" >&2; }
refuse() {
    say "$*; nothing was changed"
    forget_marks
    exit 3
}
fail() { say "$*"; exit 1; }

# has_rules legacy|variant|table ip|ip6: whether lbc's rules are in this family's legacy table of iptables, in that of
# iptables-nft, or in the table inet lbc, where $nft_tables has it. It asks for no table that the kernel would have to
# make first.
has_rules() {
    case $1 in
    legacy) grep -qx mangle "/proc/net/${2}_tables_names" 2>/dev/null &&
        "${2}tables-legacy" -w 5 -t mangle -S LBC >/dev/null 2>&1 ;;
    variant) printf '%s\n' "$nft_tables" | grep -qx "table $2 mangle" &&
        "${NFT:-nft}" list chain "$2" mangle LBC >/dev/null 2>&1 ;;
    table) [ "$2" = ip ] && printf '%s\n' "$nft_tables" | grep -qx 'table inet lbc' ;;
    esac
}

# look_for PLACE...: says where else there are rules of lbc's.
look_for() {
    nft_tables=$("${NFT:-nft}" list tables 2>/dev/null) || true
    for place in "$@"; do
        for family in ip ip6; do
            has_rules "$place" "$family" || continue
            case $place in
            legacy) found="${family}tables-legacy has chains of lbc in its mangle table" ;;
            variant) found="${family}tables-nft has chains of lbc in its mangle table" ;;
            table) found="nftables has the table inet lbc" ;;
            esac
            say "$found, which marks too: when this is done, take it off with a script for it (LBC_ONLY=marks, remove)"
        done
    done
}

usage() { printf 'usage: sh rules.sh [apply|show|remove] [DIRECTOR]\ndirectors: %s\n' "$directors"; }

# find_director [NAME]: sets director.
find_director() {
    director=
    if [ $# -gt 0 ]; then
        director_of name "$1"
        [ -n "$director" ] && return
        say "this site has no director '$1'; it has: $directors"
        exit 2
    fi
    host=$(uname -n)
    director_of host "$host"
    [ -n "$director" ] || director_of host "${host%%.*}"
    for file in /sys/class/net/*/address; do
        [ -z "$director" ] || return 0
        if read -r mac 2>/dev/null <"$file"; then director_of mac "$mac"; fi
    done
    [ -n "$director" ] && return
    say "neither the host name $host nor a MAC of this machine is a director's; name one of: $directors"
    exit 2
}


sets_made='' sets_before=''
name_programs() {
    IPTABLES=${IPTABLES:-iptables} IP6TABLES=${IP6TABLES:-ip6tables} IPSET=${IPSET:-ipset} IPVSADM=${IPVSADM:-ipvsadm}
}

# table_change: from `iptables -S`, a line with `=` and what is wanted, to the input of iptables-restore --noflush that
# leads from one to the other; nothing, where neither has a thing of lbc's. Jumps that stay keep their place. A comment
# of another's rule can have line breaks: what follows one, up to the quote that ends the comment, is no rule.
table_change() {
    awk '
    function own(chain) { return chain == "LBC" || chain ~ /^LBC-/ }
    function builtin(chain) { return chain ~ /^(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/ }
    function odd_quotes(line) { gsub(/\\./, "", line); return gsub(/"/, "", line) % 2 }
    !wanted && is_quoted { is_quoted = !odd_quotes($0); next }
    !wanted && odd_quotes($0) { is_quoted = 1; next }
    $0 == "=" { wanted = 1; next }
    wanted && /^#ipset / { next }
    !wanted && $1 == "-N" && own($2) { old[++olds] = $2 }
    !wanted && $1 == "-A" && builtin($2) && $(NF - 1) ~ /^-[jg]$/ && own($NF) { jump[++jumps] = $0 }
    wanted && /^:/ { chain[++chains] = $0; keep[substr($1, 2)] = 1 }
    wanted && /^#/ { rule[++rules] = $0 }
    wanted && $1 == "-A" && own($2) { rule[++rules] = $0 }
    wanted && $1 == "-A" && !own($2) { hook[++hooks] = $0; hooked[$0] = 1 }
    END {
        if (olds + jumps + chains + hooks == 0) exit
        print "*mangle"
        for (i = 1; i <= chains; i++) print chain[i]
        for (i = 1; i <= olds; i++) if (!(old[i] in keep)) print ":" old[i] " - [0:0]"
        for (i = 1; i <= jumps; i++) if (!(jump[i] in hooked) || ++seen[jump[i]] > 1) print "-D" substr(jump[i], 3)
        for (i = 1; i <= olds; i++) if (!(old[i] in keep)) print "-X " old[i]
        for (i = 1; i <= rules; i++) print rule[i]
        for (i = 1; i <= hooks; i++) if (!(hook[i] in seen)) print hook[i]
        print "COMMIT"
    }'
}

own_sets() {
    [ -e /sys/module/ip_set ] && command -v "$IPSET" >/dev/null || return 0
    "$IPSET" list -n | grep -E '^LBC-[46]-' || true
}

# make_sets FAMILY: fills the sets that the rules ask, where they are not as wanted already. Each is called after what
# is in it, so rules that are there ask another; sets_made gets those that are wanted.
make_sets() {
    lines=$(wanted "$1" | sed -n 's/^#ipset //p')
    [ -n "$lines" ] || return 0
    command -v "$IPSET" >/dev/null || refuse "the rules for $1 need $IPSET"
    names=$(printf '%s\n' "$lines" | sed -n 's/^swap \([^ ]*\)-NEW .*/\1/p')
    sets_made="$sets_made $names"
    entries=$(printf '%s\n' "$lines" | sed -n 's/^add \([^ ]*\)-NEW /add \1 /p' | LC_ALL=C sort)
    have=$(for name in $names; do "$IPSET" save "$name" 2>/dev/null; done | grep '^add ' | LC_ALL=C sort) || true
    [ "$have" != "$entries" ] || return 0
    printf '%s\n' "$lines" | "$IPSET" restore -exist || refuse "$IPSET does not take the sets"
}

# drop_sets: takes every set of lbc's off that is none of $kept.
drop_sets() {
    for name in $(own_sets); do
        case " $(printf '%s' "$kept" | tr '\n' ' ') " in
        *" $name "*) ;;
        *) "$IPSET" destroy "$name" || say "the set $name stays" ;;
        esac
    done
}

# plan_table PROGRAM FAMILY: sets change to the input of PROGRAM-restore, empty where there is nothing to do.
plan_table() {
    change=
    make_sets "$2"
    rules=$(wanted "$2")
    if ! command -v "$1" >/dev/null || { [ "$2" = ipv6 ] && [ ! -e /proc/net/if_inet6 ]; }; then
        [ -z "$rules" ] || refuse "the rules for $2 need $1, and a kernel that has $2"
        return 0
    fi
    command -v "$1-restore" >/dev/null || refuse "there is no $1-restore"
    table=$("$1" -w 5 -t mangle -S) || refuse "$1 cannot read the mangle table"
    change=$(printf '%s\n=\n%s\n' "$table" "$rules" | table_change) || refuse "awk failed"
    [ -n "$change" ] || return 0
    printf '%s\n' "$change" | "$1-restore" -w 5 --noflush --test || refuse "$1-restore does not take the rules"
}

# load_table PROGRAM CHANGE
load_table() {
    [ -n "$2" ] || return 0
    printf '%s\n' "$2" | "$1-restore" -w 5 --noflush || fail "$1-restore failed; its mangle table is as it was"
}

plan_marks() {
    sets_before=$(own_sets)
    plan_table "$IPTABLES" ipv4
    ipv4_change=$change
    plan_table "$IP6TABLES" ipv6
    ipv6_change=$change
    [ -n "$director" ] || return 0
    case $("$IPTABLES" -V 2>/dev/null) in
    *nf_tables*) look_for legacy table ;;
    *) look_for variant table ;;
    esac
}

load_marks() {
    load_table "$IPTABLES" "$ipv4_change"
    load_table "$IP6TABLES" "$ipv6_change"
    kept=$sets_made
    drop_sets
}

# forget_marks: what plan_marks has made goes.
forget_marks() {
    kept=$sets_before
    if [ -n "$sets_made" ]; then drop_sets; fi
}

show_marks() {
    for program in "$IPTABLES" "$IP6TABLES"; do
        command -v "$program" >/dev/null || continue
        table=$("$program" -w 5 -t mangle -v -S) || refuse "$program cannot read the mangle table"
        printf '# %s -t mangle -v -S\n' "$program"
        printf '%s\n' "$table" | awk '$2 == "LBC" || $2 ~ /^LBC-/ || / -[jg] LBC(-[^ ]*)?$/'
    done
    for name in $(own_sets); do "$IPSET" list "$name"; done
}

# mark_lines: the site's marks, one a line. An argument of a program could not hold those of a large site.
mark_lines() { printf '%s\n' "$own_marks" | tr ' ' '\n'; }

# service_change add|delete: from mark_lines, `ipvsadm -Ln --thresholds`, `ipvsadm -Sn` and what is wanted, with a line
# `=` between each, to the input of ipvsadm -R. -S leaves out connection limits, and shows marks above 2147483647 as
# negative.
service_change() {
    awk -v phase="$1" -v first="$first_mark" -v last="$last_mark" '
    function unsigned(mark) { return mark < 0 ? sprintf("%.0f", mark + 4294967296) : mark "" }
    function own(mark) { return mark + 0 >= first + 0 && mark + 0 <= last + 0 || mark in marks }
    function name(key) { sub(/ .*/, "", key); return key }
    $0 == "=" { part++; next }
    !part { marks[$1] = 1; next }
    part == 1 && $1 != "->" { key = $1 == "FWM" ? unsigned($2) ($3 == "IPv6" ? " -6" : "") : "" }
    part == 1 && $1 == "->" && key != "" { limit[key " -r " $2] = ($3 > 0 ? " -x " $3 : "") ($4 > 0 ? " -y " $4 : "") }
    part == 1 || $1 !~ /^-[Aa]$/ || $2 != "-f" { next }
    {
        $3 = unsigned($3)
        service = $3 ($4 == "-6" ? " -6" : "")
        id = service
        for (i = 4; i < NF; i++) if ($i == "-r") id = id " -r " $(i + 1)
    }
    part == 2 { line[++lines] = id; of[id] = service; have[id] = $0 limit[id]; next }
    { want[id] = 1 }
    phase == "add" && !(id in have) { print }
    phase == "add" && id in have && have[id] != $0 { sub(/^-A/, "-E"); sub(/^-a/, "-e"); print }
    END {
        if (phase != "delete") exit
        for (i = 1; i <= lines; i++) {
            id = line[i]
            if (id in want || !own(name(id))) continue
            if (id == of[id]) print "-D -f " id
            else if (of[id] in want) print "-d -f " id
        }
    }'
}

# plan_services: sets to_add and to_delete to inputs of ipvsadm -R, and daemons to the sync daemons that run.
plan_services() {
    to_add='' to_delete='' daemons=''
    services=$(wanted services)
    if ! command -v "$IPVSADM" >/dev/null; then
        if [ -n "$director" ] && [ -n "$services" ]; then refuse "there is no $IPVSADM"; fi
        sync=no
        return 0
    fi
    read_services || refuse "$IPVSADM cannot read the virtual services and sync daemons"
    to_add=$(compare_services add) || refuse "awk failed"
    to_delete=$(compare_services delete) || refuse "awk failed"
}

read_services() {
    saved=$("$IPVSADM" -Sn) && limits=$("$IPVSADM" -Ln --thresholds) && daemons=$("$IPVSADM" -Ln --daemon)
}

compare_services() {
    {
        mark_lines
        printf '=\n%s\n=\n%s\n=\n%s\n' "$limits" "$saved" "$services"
    } | service_change "$1"
}

# change_services LINES add|delete: ipvsadm -R goes on behind a line that the kernel refuses, and may then exit with 0;
# but it says so, and what it did not do is still to be done.
change_services() {
    [ -n "$1" ] || return 0
    if said=$(printf '%s\n' "$1" | "$IPVSADM" -R 2>&1) && [ -z "$said" ]; then return 0; fi
    printf '%s\n' "$said" >&2
    read_services || fail "$IPVSADM failed"
    fail "$IPVSADM did not do: $(compare_services "$2")"
}

# change_sync: the site's sync daemons in both roles, or, for no director, neither.
change_sync() {
    for role in master backup; do
        running=$(printf '%s\n' "$daemons" | grep "^$role ") || running=
        if [ -n "$running" ]; then
            if [ -n "$director" ] && sync_is "$running"; then continue; fi
            "$IPVSADM" --stop-daemon "$role" || fail "$IPVSADM cannot stop the $role sync daemon"
        fi
        [ -n "$director" ] || continue
        sync_daemon "$IPVSADM" --start-daemon "$role" || fail "$IPVSADM cannot start the $role sync daemon"
    done
}

# keep_routes FILE: with IPv6 forwarding Linux drops the default routes of router advertisements, where accept_ra is 1.
keep_routes() {
    if [ -z "$director" ] || [ "$(cat "$1")" != 0 ]; then return 0; fi
    devices=$(awk '$2 == "00" && $4 == "00" && substr($9, 4, 1) ~ /[13-79b-f]/ { print $10 }' /proc/net/ipv6_route)
    while read -r device; do
        accept_ra=/proc/sys/net/ipv6/conf/$device/accept_ra
        [ -z "$device" ] || [ "$(cat "$accept_ra")" = 2 ] ||
            refuse "$1=1 would take the default route of $device away: write 2 to $accept_ra first"
    done <<EOF
$devices
EOF
}

plan_sysctls() {
    [ -e /proc/sys/net/ipv4/vs ] || modprobe ip_vs 2>/dev/null || true
    for sysctl in $sysctls; do
        [ -w "${sysctl%=*}" ] || [ -z "$director" ] || refuse "cannot write ${sysctl%=*}"
        case $sysctl in */ipv6/conf/all/forwarding=*) keep_routes "${sysctl%=*}" ;; esac
    done
}

# change_sysctls: for no director, IPVS does its work in every role again; what the others were before is not known.
change_sysctls() {
    for sysctl in $sysctls; do
        value=${sysctl#*=}
        if [ -z "$director" ]; then
            case $sysctl in
            */backup_only=*) value=0 ;;
            *) continue ;;
            esac
        fi
        [ -w "${sysctl%=*}" ] || continue
        echo "$value" >"${sysctl%=*}" || fail "cannot write ${sysctl%=*}"
    done
}

# change_all: makes what $director is to have all that is lbc's; for no director, takes all of it off.
change_all() {
    to_add='' to_delete=''
    if [ "$only" != ipvs ]; then plan_marks; fi
    if [ "$only" = marks ]; then sync=no sysctls=''; fi
    if [ "$only" != marks ] && [ "$ipvs" = lbc ]; then plan_services; fi
    if [ -n "$sysctls" ]; then plan_sysctls; fi

    change_sysctls
    change_services "$to_add" add
    if [ "$sync" = yes ]; then change_sync; fi
    if [ "$only" != ipvs ]; then load_marks; fi
    change_services "$to_delete" delete
}

show() {
    if [ "$only" != ipvs ]; then show_marks; fi
    if [ "$only" = marks ] || [ "$ipvs" != lbc ] || ! command -v "$IPVSADM" >/dev/null; then return 0; fi
    services=$("$IPVSADM" -Ln) || refuse "$IPVSADM cannot read the virtual services"
    printf '# %s -Ln\n' "$IPVSADM"
    {
        mark_lines
        printf '=\n%s\n' "$services"
    } | awk -v first="$first_mark" -v last="$last_mark" '
        $0 == "=" { is_behind = 1; next }
        !is_behind { marks[$1] = 1; next }
        $1 != "->" {
            mark = $2 < 0 ? sprintf("%.0f", $2 + 4294967296) : $2
            in_range = mark + 0 >= first + 0 && mark + 0 <= last + 0
            own = $1 == "FWM" && (in_range || mark in marks)
        }
        own'
}

main() {
    command=${1:-apply}
    [ $# -eq 0 ] || shift
    case $command/$# in
    apply/[01] | show/[01] | remove/[01]) ;;
    -h/0 | --help/0) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    name_programs
    only=${LBC_ONLY:-}
    case $only in
    '' | marks | ipvs) ;;
    *) say "LBC_ONLY is '$only', not marks or ipvs"; exit 2 ;;
    esac
    if [ "$command" = apply ] || [ $# -gt 0 ]; then find_director "$@"; fi
    case $command in
    apply) change_all ;;
    show) show ;;
    remove)
        director=
        change_all
        ;;
    esac
}

main "$@"
