sets_made='' sets_before=''
name_programs() {
    IPTABLES=${IPTABLES:-iptables} IP6TABLES=${IP6TABLES:-ip6tables} IPSET=${IPSET:-ipset} IPVSADM=${IPVSADM:-ipvsadm}
}

# table_change: from `iptables -S`, a line with `=` and what is wanted, to the input of iptables-restore --noflush that
# leads from one to the other; nothing if neither has an own rule. Jumps that stay keep their place. A comment
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

# drop_sets: destroys every own set that is not in $kept.
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
