#!/bin/sh
# log.sh [OPTIONS AND REVISIONS OF git rev-list]: what each commit that touches a site file does to the site, newest
# first, with all that the site includes. `git config lbc.site` names the site's file.
set -u
lbc=${LBC:-lbc}
cd "$(git rev-parse --show-toplevel)" || exit 2
site=$(git config lbc.site || echo site.lb)
[ $# -gt 0 ] || set -- HEAD

# /dev/null is a site without anything.
site_of() { git cat-file -e "$1:$site" 2>/dev/null && echo "$1:$site" || echo /dev/null; }

git rev-list "$@" -- '*.lb' | while read -r commit; do
    git --no-pager show --no-patch --format='commit %h%n%an, %ad%n%n    %s%n' --date=iso "$commit"
    "$lbc" diff "$(site_of "$commit^")" "$(site_of "$commit")"
    echo
done
