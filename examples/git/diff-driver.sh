#!/bin/sh
# diff-driver.sh PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE: what a change of a site file does, for git's
# diff.NAME.command. git hands over each blob in a file of its own, so only files that are whole sites by themselves can
# be compared by their meaning; any other is compared as text. Never fails, since git would stop there.
path=$1
lbc=${LBC:-lbc}
# A file that is unmerged comes as its name alone.
[ $# -ge 7 ] || { printf '* Unmerged path %s\n' "$path"; exit 0; }
old=$2 new=$5
# A file of the work tree comes with its path there.
case $new in /*) ;; *) new=./$new ;; esac

is_whole() {
    [ "$1" != /dev/null ] || return 0 # a site without anything
    # Nothing that it names may be found in the work tree: the other side's is not there.
    messages=$({ cd "$empty" && "$lbc" compile - >/dev/null; } 2>&1 <"$1") || return 1
    case $messages in *'[include-'*) return 1 ;; esac
}

# No terminal obeys a name: control characters, C1 and those that turn the direction of text are `?`.
unseen=$(printf 's/\302[\200-\237]/?/g;s/\342\200[\213-\217\250-\256]/?/g;s/\342\201[\240-\257]/?/g')
shown=$(printf '%s' "$path" | LC_ALL=C tr '\001-\037\177' '?' | LC_ALL=C sed "$unseen")
printf 'diff --lbc a/%s b/%s\n' "$shown" "$shown"
empty=$(mktemp -d) || exit 0
trap 'rm -rf "$empty"' EXIT
if ! { is_whole "$old" && is_whole "$new" && "$lbc" diff "$old" "$new" 2>/dev/null; }; then
    # `git lbc-diff` has the meaning: it sees the other files, too.
    diff -u --label "a/$shown" --label "b/$shown" "$old" "$new"
fi
exit 0
