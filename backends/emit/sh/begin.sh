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

# look_for PLACE...: prints where else there are own rules.
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
