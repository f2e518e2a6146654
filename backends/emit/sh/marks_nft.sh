name_programs() { NFT=${NFT:-nft} IPVSADM=${IPVSADM:-ipvsadm}; }

forget_marks() { :; }

# read_table: sets table to lbc's table without the elements of its sets; empty, where there is none.
read_table() {
    table=
    tables=$("$NFT" list tables inet) || return 1
    if printf '%s\n' "$tables" | grep -qx 'table inet lbc'; then table=$("$NFT" -t list table inet lbc); fi
}

# plan_marks: sets sets and rules to what nft is to read.
plan_marks() {
    sets=$(wanted sets) rules=$(wanted rules)
    if ! command -v "$NFT" >/dev/null; then
        [ -z "$rules" ] || refuse "there is no $NFT"
        return 0
    fi
    read_table || refuse "$NFT cannot read the table inet lbc"
    if [ -z "$director" ] && [ -n "$table" ]; then rules='delete table inet lbc'; fi
    [ -n "$rules" ] || return 0
    printf '%s\n%s\n' "$sets" "$rules" | "$NFT" -c -f - || refuse "$NFT does not take the rules"
    if [ -n "$director" ]; then look_for legacy variant; fi
}

# second_names: a text in which all sets have b_ before their names.
second_names() {
    sed -e 's/^    set /&b_/' -e 's/^    map /&b_/' -e 's/^flush [a-z]* inet lbc /&b_/' \
        -e 's/^add element inet lbc /&b_/' -e 's/ @/&b_/g'
}

load_text() { printf '%s\n' "$1" | "$NFT" -f - || fail "$NFT failed; run this again"; }

# load_marks: sets are filled before a rule sees them. Those that rules see now are made anew under a second name, the
# rules go there, and back when those by the first name are filled. A run that was ended between has left the rules at
# the second.
load_marks() {
    [ -n "$rules" ] || return 0
    if [ -n "$sets" ]; then
        case $table in
        *' @b_'*) ;;
        *' @'*)
            load_text "$(printf '%s\n' "$sets" | second_names)"
            load_text "$(printf '%s\n' "$rules" | second_names)"
            ;;
        esac
        load_text "$sets"
    fi
    load_text "$rules"
    if [ -n "$sets" ]; then delete_other_sets; fi
}

delete_other_sets() {
    read_table || fail "$NFT cannot read the table inet lbc"
    others=$(printf '%s\n=\n%s\n' "$sets" "$table" | awk '
        $0 == "=" { there = 1; next }
        ($1 == "set" || $1 == "map") && $3 == "{" {
            if (!there) wanted[$2] = 1
            else if (!($2 in wanted)) print "delete", $1, "inet lbc", $2
        }') || fail "awk failed"
    [ -z "$others" ] || load_text "$others"
}

show_marks() {
    command -v "$NFT" >/dev/null || return 0
    read_table || refuse "$NFT cannot read the table inet lbc"
    [ -n "$table" ] || return 0
    printf '# %s list table inet lbc\n' "$NFT"
    "$NFT" list table inet lbc
}
