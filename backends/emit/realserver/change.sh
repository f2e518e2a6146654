# ==== How it is done: the same for every site ====

say() { printf 'lbc: %s\n' "$*" >&2; }
refuse() { say "$*; nothing was changed"; exit 3; }
fail() { say "$*"; exit 1; }

usage() { printf 'usage: sh realserver.sh [[apply|show] [NAME...] | remove]\nnames: %s\n' "$names"; }

# has LIST LINE
has() {
    case "
$1
" in *"
$2
"*) ;; *) return 1 ;; esac
}

# each KIND LIST COMMAND: runs COMMAND with the words behind KIND of every line of LIST that begins with it.
each() {
    while read -r word a b c d e; do
        if [ "$word" = "$1" ]; then "$3" "$a" "$b" "$c" "$d" "$e" </dev/null; fi
    done <<END
$2
END
}

# find_ip: sets IP to iproute2's program. A shell of busybox takes its own for `ip`, which makes no local routes.
find_ip() {
    for program in ${IP:-ip /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip}; do
        case $("$program" -V 2>/dev/null) in
        *iproute2*)
            IP=$program
            return 0
            ;;
        esac
    done
    refuse "${IP:-ip} is not there, or not iproute2's"
}

# look: sets here to `DEVICE ADDRESS` of every address of this machine, and sysctls to `./INTERFACE/NAME:VALUE` lines.
look() {
    seen=$("$IP" -o address show) || refuse "$IP cannot read the addresses"
    here=
    while read -r _ device _ address _; do
        here="$here
$device ${address%%/*}"
    done <<END
$seen
END
    set +f
    # Without IPv4 there is none of these, and no ARP either.
    sysctls=$(cd "$conf" && grep . ./*/arp_ignore ./*/arp_announce ./*/rp_filter) || true
    set -f
}

# find_entries [NAME...]: sets wanted to what they are to have, and found to their names.
find_entries() {
    wanted='' found=''
    for name in "$@"; do
        entry "$name" >/dev/null || { say "this site has no real server '$name'; it has: $names"; exit 2; }
        found="$found $name"
    done
    if [ $# -eq 0 ]; then
        while read -r name address; do
            case "$here
" in *" $address
"*) case "$found " in *" $name "*) ;; *) found="$found $name" ;; esac ;; esac
        done <<END
$(addresses)
END
    fi
    [ -n "$found" ] || { say "no address of this machine is a real server's; name one of: $names"; exit 2; }
    for name in $found; do
        lines=$(entry "$name")
        while read -r line; do
            has "$wanted" "$line" || wanted="$wanted
$line"
        done <<END
$lines
END
    done
    name_tunnels
}

# name_tunnels: in wanted, the name of the device goes before what is known of each tunnel.
name_tunnels() {
    named='' kinds=''
    while read -r word kind rest; do
        if [ "$word" = tunnel ]; then
            kinds="$kinds $kind"
            number=0
            for other in $kinds; do
                if [ "$other" = "$kind" ]; then number=$((number + 1)); fi
            done
            [ "$number" -gt 1 ] || number=
            kind="lbc-$kind$number $kind"
        fi
        named="$named
$word${kind:+ $kind}${rest:+ $rest}"
    done <<END
$wanted
END
    wanted=$named
}

# read_record: sets recorded to what earlier runs have added.
read_record() {
    recorded=
    [ -e "$record" ] || return 0
    while read -r line; do
        case $line in
        *[!a-z0-9._:/\ -]*) refuse "$record is not as this script writes it" ;;
        'address '* | 'route '* | 'tunnel lbc-'* | 'gue '* | 'sysctl arp_'*) recorded="$recorded
$line" ;;
        '') ;;
        *) refuse "$record is not as this script writes it" ;;
        esac
    done <"$record" || refuse "cannot read $record"
}

# write_record LINES
write_record() {
    lines=${1#"
"}
    if [ -z "$lines" ]; then
        rm -f "$record"
    else
        mkdir -p "$(dirname "$record")" && printf '%s\n' "$lines" >"$record.new" && mv -f "$record.new" "$record"
    fi
}

# ---- What is there

# local_route PREFIX show|add|delete WORDS...: a local route of lo.
local_route() {
    prefix=$1 verb=$2
    shift 2
    case $prefix in *:*) family=-6 ;; *) family=-4 ;; esac
    "$IP" "$family" route "$verb" "$@" "$prefix" dev lo
}

has_address() { has "$here" "lo ${1%/*}"; }
has_route() { [ -n "$(local_route "$1" show table local exact 2>/dev/null)" ]; }

# has_gue FAMILY PORT
has_gue() {
    ports=$("$IP" fou show 2>/dev/null) || return 1
    while read -r _ port kind rest; do
        case $rest in *-6*) family=ipv6 ;; *) family=ipv4 ;; esac
        [ "$port $kind $family" != "$2 gue $1" ] || return 0
    done <<END
$ports
END
    return 1
}

has_device() { "$IP" link show dev "$1" >/dev/null 2>&1; }

# has_tunnel NAME KIND LOCAL INNER ICSUM: it is up, which comes last, and is as written.
has_tunnel() {
    about=$("$IP" -o -d link show dev "$1" up 2>/dev/null) || return 1
    case $about in *" $2 "*" local $3 "*) ;; *) return 1 ;; esac
    case $about in *" icsum "*) [ "$5" = icsum ] || return 1 ;; *) [ -z "$5" ] || return 1 ;; esac
    [ "$4" = - ] || has "$here" "$1 $4"
}

# get INTERFACE/NAME: sets value to a sysctl's, as it was at the start.
get() {
    case $sysctls in
    *"./$1:"*)
        value=${sysctls#*"./$1:"}
        value=${value%%"
"*}
        ;;
    *) return 1 ;;
    esac
}

# arp_fits NAME VALUE: whether this value of the sysctl keeps a VIP on lo from being announced.
arp_fits() {
    case $1/$2 in
    arp_ignore/[128] | arp_announce/2) ;;
    *) return 1 ;;
    esac
}

# ---- What is to do

# plan: sets add and drop to items that are missing and to those recorded that are no longer wanted.
plan() {
    add='' drop=''
    each arp "$wanted" plan_arp
    each gue "$wanted" plan_gue
    each tunnel "$wanted" plan_tunnel
    each address "$wanted" plan_address
    each route "$wanted" plan_route
    while read -r line; do
        case $line in
        '') continue ;;
        sysctl*) if has "$wanted" arp; then continue; fi ;;
        *) if has "$wanted" "$line"; then continue; fi ;;
        esac
        drop="$drop
$line"
    done <<END
$recorded
END
}

more() { add="$add
$*"; }
plan_gue() { has_gue "$@" || more gue "$1" "$2"; }
plan_tunnel() { has_tunnel "$@" || more "tunnel $1 $2 $3 $4${5:+ $5}"; }
plan_address() { has_address "$1" || more address "$1"; }
plan_route() { has_route "$1" || more route "$1"; }

# The greater of the values of `all` and of an interface holds, so one of another meaning cannot be mended in `all`.
plan_arp() {
    for name in arp_ignore arp_announce; do
        for line in $sysctls; do
            case $line in
            ./default/* | ./lo/* | */arp_ignore:[0128] | */arp_announce:[012]) ;;
            */"$name":*) refuse "$conf/${line#./} may have a VIP on lo announced" ;;
            esac
        done
        get "all/$name" || refuse "cannot read $conf/all/$name"
        arp_fits "$name" "$value" || more sysctl "$name" "$(good_value "$name")" "$value"
    done
}

good_value() { case $1 in arp_ignore) echo 1 ;; *) echo 2 ;; esac; }

# ---- Doing it

set_arp() { echo "$2" >"$conf/all/$1" || fail "cannot set net.ipv4.conf.all.$1"; }

add_gue() {
    # A kernel may have it built in; without it, the next line fails.
    modprobe fou 2>/dev/null || true
    "$IP" "-${1#ipv}" fou add port "$2" gue || fail "$IP cannot take GUE on UDP port $2 ($1)"
}

# A device without an IPv4 address lets no packet through where rp_filter is on, so it has the VIP, too; 2 is enough,
# and weakens no other interface.
add_tunnel() {
    if has_device "$1"; then "$IP" link delete dev "$1" || fail "$IP cannot replace $1"; fi
    # A director's outer packets may come from its VIP, which is an address of this host, too.
    case $2 in ip6tnl) more_words='mode any allow-localremote' ;; *) more_words=$5 ;; esac
    # shellcheck disable=SC2086 # words of this script
    "$IP" link add name "$1" type "$2" local "$3" $more_words ||
        fail "$IP cannot make $1; is there another tunnel at $3, or no module $2?"
    if [ "$4" != - ]; then
        echo 2 >"$conf/$1/rp_filter" || fail "cannot set net.ipv4.conf.$1.rp_filter"
        "$IP" address add "$4/32" dev "$1" scope host || fail "$IP cannot add $4 to $1"
    fi
    "$IP" link set dev "$1" up || fail "$IP cannot set $1 up"
}

# Of scope host, or deprecated: never the source of this machine's own connections.
add_address() {
    case $1 in
    *:*) "$IP" -6 address add "$1" dev lo preferred_lft 0 || fail "$IP cannot add $1 to lo" ;;
    *) "$IP" address add "$1" dev lo scope host || fail "$IP cannot add $1 to lo" ;;
    esac
}

add_route() { local_route "$1" add local || fail "$IP cannot make $1 local"; }

drop_address() { ! has_address "$1" || "$IP" address delete "$1" dev lo || fail "$IP cannot take $1 off lo"; }
drop_route() { ! has_route "$1" || local_route "$1" delete local || fail "$IP cannot take $1 off lo"; }
drop_gue() {
    ! has_gue "$@" || "$IP" "-${1#ipv}" fou del port "$2" || fail "$IP cannot close UDP port $2 ($1)"
}
drop_tunnel() {
    case $wanted in *"
tunnel $1 "*) return 0 ;; esac
    ! has_device "$1" || "$IP" link delete dev "$1" || fail "$IP cannot delete $1"
}
# One that somebody has set otherwise since stays.
drop_sysctl() {
    get "all/$1" || fail "cannot read $conf/all/$1"
    [ "$value" != "$2" ] || set_arp "$1" "$3"
}

# change_all: from what is there and recorded to what is wanted; nothing wanted takes all off.
change_all() {
    read_record
    plan
    [ -n "$add$drop" ] || return 0
    # It must be up for local routes, and is; as a change it asks for the right that the others need.
    "$IP" link set dev lo up || refuse "this needs the right to change the network"
    both=$recorded
    while read -r line; do
        case $line in
        '') continue ;;
        sysctl*) case $recorded in *"
${line% *} "*) continue ;; esac ;;
        *) if has "$recorded" "$line"; then continue; fi ;;
        esac
        both="$both
$line"
    done <<END
$add
END
    write_record "$both" || refuse "cannot write $record"

    each sysctl "$add" set_arp
    each gue "$add" add_gue
    each tunnel "$add" add_tunnel
    each address "$add" add_address
    each route "$add" add_route
    each address "$drop" drop_address
    each route "$drop" drop_route
    each tunnel "$drop" drop_tunnel
    each gue "$drop" drop_gue
    each sysctl "$drop" drop_sysctl

    kept=
    while read -r line; do
        [ -z "$line" ] || has "$drop" "$line" || kept="$kept
$line"
    done <<END
$both
END
    write_record "$kept" || fail "cannot write $record"
}
