#!/bin/sh
# review.sh BASE HEAD: what HEAD changes on each director since it left BASE, as Markdown for a comment of a pull or
# merge request. Its first line is a marker, by which comment.sh finds the comment again. Status 1 if HEAD's site has a
# mistake or its compiled tree is out of date: the text says so.
#   LBC_SITE    the site's file, site.lb unless given
#   LBC_TREE    the folder of `lbc compile --emit all`, where one is committed; it is read from the work tree
set -u
lbc=${LBC:-lbc}
site=${LBC_SITE:-site.lb}
most=65400 # bytes; GitHub takes 65536 characters
status=0
[ $# -eq 2 ] || { echo 'usage: review.sh BASE HEAD' >&2; exit 2; }
head=$(git rev-parse --short --verify --end-of-options "$2^{commit}") || exit 2
base=$(git merge-base "$1" "$head") || { echo "review.sh: $1 and $2 have no common commit here" >&2; exit 2; }
base=$(git rev-parse --short "$base")

has_site() { git cat-file -e "$1:$site" 2>/dev/null; }
# Indented, so that nothing in it is Markdown: it quotes a file that anybody may have written.
quote() { echo; sed 's/^/    /'; echo; }
# Whole lines, up to a size.
cut_off() {
    LC_ALL=C awk -v most="$most" '
        { size += length($0) + 1 }
        size > most { print "\n… and more: lbc check has it."; exit }
        { print }'
}

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
{
    printf '<!-- lbc review of %s -->\n' "$site"
    if ! has_site "$head"; then
        # shellcheck disable=SC2016 # Markdown's
        has_site "$base" && printf '### lbc: `%s` goes\n' "$site" || printf '### lbc: there is no `%s`\n' "$site"
    elif ! "$lbc" check -v "$head:$site" >"$scratch/said" 2>&1; then
        status=1
        echo '### lbc: the site has mistakes'
        quote <"$scratch/said"
    elif ! has_site "$base"; then
        echo '### lbc: the site is new'
        quote <"$scratch/said"
    elif "$lbc" diff "$base:$site" "$head:$site" --format markdown >"$scratch/diff" 2>"$scratch/said"; then
        cat "$scratch/diff"
    else
        echo '### lbc: the site had mistakes before, so what changes cannot be said'
        quote <"$scratch/said"
    fi
    if [ -n "${LBC_TREE:-}" ] && [ $status -eq 0 ] && has_site "$head"; then
        if ! "$lbc" compile "$head:$site" --check -o "$LBC_TREE" >"$scratch/said" 2>&1; then
            status=1
            # shellcheck disable=SC2016 # Markdown's
            printf '\n`%s` is out of date:\n' "$LBC_TREE"
            quote <"$scratch/said"
        fi
    fi
} >"$scratch/all"
cut_off <"$scratch/all"
exit $status
