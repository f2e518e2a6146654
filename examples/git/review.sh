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
# Whole ids: a tag or a branch can have the name of a shortened one.
head=$(git rev-parse --verify --end-of-options "$2^{commit}") || exit 2
base=$(git rev-parse --verify --end-of-options "$1^{commit}") || exit 2
base=$(git merge-base "$base" "$head") || { echo "review.sh: $1 and $2 have no common commit here" >&2; exit 2; }

# /dev/null is a site without anything.
site_of() { git cat-file -e "$1:$site" 2>/dev/null && echo "$1:$site" || echo /dev/null; }
old=$(site_of "$base")
new=$(site_of "$head")
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
    if [ "$old$new" = /dev/null/dev/null ]; then
        # shellcheck disable=SC2016 # Markdown's
        printf '### lbc: there is no `%s`\n' "$site"
    elif [ "$new" != /dev/null ] && ! "$lbc" check "$new" >"$scratch/said" 2>&1; then
        status=1
        echo '### lbc: the site has mistakes'
        quote <"$scratch/said"
    elif ! "$lbc" diff "$old" "$new" --format markdown 2>"$scratch/said"; then
        echo '### lbc: the site had mistakes before, so what changes cannot be said'
        quote <"$scratch/said"
    fi
    if [ -n "${LBC_TREE:-}" ] && [ $status -eq 0 ] && [ "$new" != /dev/null ]; then
        if ! "$lbc" compile "$new" --check -o "$LBC_TREE" >"$scratch/said" 2>&1; then
            status=1
            # shellcheck disable=SC2016 # Markdown's
            printf '\n`%s` is out of date:\n' "$LBC_TREE"
            quote <"$scratch/said"
        fi
    fi
} >"$scratch/all"
cut_off <"$scratch/all"
exit $status
