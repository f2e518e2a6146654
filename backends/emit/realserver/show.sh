# ---- Showing it

row() { printf '%-7s %-43s %s\n' "$@"; }
lacks() { missing=yes; row "$1" "$2" "$3"; }

show_address() {
    where=
    while read -r device address; do
        if [ "$address" = "${1%/*}" ]; then where="$where $device"; fi
    done <<END
$here
END
    if has_address "$1"; then row vip "$1" "on$where"; else lacks vip "$1" "missing on lo${where:+; on$where}"; fi
}
show_route() { if has_route "$1"; then row vip "$1" 'on lo'; else lacks vip "$1" 'missing on lo'; fi; }
show_gue() { if has_gue "$@"; then row gue "$2" "$1"; else lacks gue "$2" "missing ($1)"; fi; }

# effective NAME INTERFACE: sets all to the sysctl's value for all, and value to the greater of that and its own.
effective() {
    get "all/$1" || return 1
    all=$value
    get "$2/$1" || return 1
    [ "$value" -ge "$all" ] || value=$all
}

show_tunnel() {
    if ! has_tunnel "$@"; then
        lacks tunnel "$1" "missing: $2 at $3${5:+, $5}"
    elif [ "$4" = - ]; then
        row tunnel "$1" "$2 at $3${5:+, $5}"
    else
        effective rp_filter "$1" || value=unknown
        row tunnel "$1" "$2 at $3${5:+, $5}, rp_filter $value"
    fi
}

# Interfaces that are as `all` says are not listed.
show_arp() {
    for name in arp_ignore arp_announce; do
        get "all/$name" || refuse "cannot read $conf/all/$name"
        if arp_fits "$name" "$value"; then row sysctl "$name" "$value"
        else lacks sysctl "$name" "$value, should be $(good_value "$name")"
        fi
        for line in $sysctls; do
            device=${line#./} device=${device%%/*}
            case $line in ./all/* | ./default/* | ./lo/*) continue ;; */"$name":*) ;; *) continue ;; esac
            effective "$name" "$device" || continue
            [ "$value" != "$all" ] || continue
            if arp_fits "$name" "$value"; then row sysctl "$name" "$value on $device"
            else lacks sysctl "$name" "$value on $device"
            fi
        done
    done
}

show() {
    missing=no
    for kind in address route gue tunnel arp; do each "$kind" "$wanted" "show_$kind"; done
    [ "$missing" = no ] || exit 1
}

main() {
    command=${1:-apply}
    [ $# -eq 0 ] || shift
    case $command/$# in
    apply/* | show/* | remove/0) ;;
    -h/0 | --help/0) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    # /run may be that of several network namespaces.
    space=$(stat -Lc %i /proc/self/ns/net 2>/dev/null) || space=0
    record=${LBC_STATE:-/run/lbc/realserver-$space} conf=/proc/sys/net/ipv4/conf
    find_ip
    look
    if [ "$command" != remove ]; then find_entries "$@"; fi
    case $command in
    apply) change_all ;;
    show) show ;;
    remove)
        wanted=
        change_all
        ;;
    esac
}

main "$@"
