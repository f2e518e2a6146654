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
