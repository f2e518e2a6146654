#!/bin/sh
# log.sh [OPTIONS AND REVISIONS OF git rev-list]: what each commit that touches a site file does to the site, newest
# first, with all that the site includes. `git config lbc.site` names the site's file.
set -u
lbc=${LBC:-lbc}
cd "$(git rev-parse --show-toplevel)" || exit 2
site=$(git config lbc.site || echo site.lb)
[ $# -gt 0 ] || set -- HEAD

git rev-list "$@" -- '*.lb' | while read -r commit; do
    git --no-pager show --no-patch --format='commit %h%n%an, %ad%n%n    %s%n' --date=iso "$commit"
    if ! git cat-file -e "$commit:$site" 2>/dev/null; then
        printf 'no %s\n' "$site"
    elif ! git cat-file -e "$commit^:$site" 2>/dev/null; then
        "$lbc" check -v "$commit:$site"
    else
        "$lbc" diff "$commit^:$site" "$commit:$site"
    fi
    echo
done
