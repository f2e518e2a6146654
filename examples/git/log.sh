#!/bin/sh
# log.sh [OPTIONS AND REVISIONS OF git rev-list]: what each commit that touches a site file does to the site, newest
# first, with all that the site includes. `git config lbc.site` names the site's file.
set -u
lbc=${LBC:-lbc}
cd "$(git rev-parse --show-toplevel)" || exit 2
site=$(git config lbc.site || echo site.lb)

# /dev/null is a site without anything.
site_of() { git cat-file -e "$1:$site" 2>/dev/null && echo "$1:$site" || echo /dev/null; }

# No terminal obeys what stands in a commit: control characters, C1 and those that turn the direction of text are `?`.
unseen=$(printf 's/\302[\200-\237]/?/g;s/\342\200[\213-\217\250-\256]/?/g;s/\342\201[\240-\257]/?/g')
clean() { LC_ALL=C tr '\000-\010\013-\037\177' '?' | LC_ALL=C sed "$unseen"; }

git rev-list --default HEAD "$@" -- '*.lb' | while read -r commit; do
    git --no-pager show --no-patch --format='commit %h%n%an, %ad%n%n    %s%n' --date=iso "$commit" | clean
    "$lbc" diff "$(site_of "$commit^")" "$(site_of "$commit")"
    echo
done
