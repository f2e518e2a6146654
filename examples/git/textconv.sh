#!/bin/sh
# textconv.sh FILE: what a site file means, for git's diff.NAME.textconv. git hands over one blob in a file of its own,
# so only a file that is a whole site by itself can be compiled; any other is printed as text. Never fails, since git
# would stop there.
file=$1
lbc=${LBC:-lbc}
text() { cat <"$file"; exit 0; }

scratch=$(mktemp -d) || text
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/empty"
# From a folder with nothing in it, so that the same blob gives the same text wherever git asks.
messages=$({ cd "$scratch/empty" && "$lbc" compile - --emit all -o "$scratch/site"; } 2>&1 <"$file") || text
case $messages in *'[include-'*) text ;; esac

for part in "$scratch/site"/*/*; do
    case $part in */iptables.rules | */ip6tables.rules | */ipvsadm.rules | */keepalived.conf) ;; *) continue ;; esac
    # Without what every such file has.
    rules=$(sed -e '1,/^[^#]/{/^#/d;}' -e '/^\*mangle$/d' -e '/^COMMIT$/d' "$part")
    [ -z "$rules" ] || printf '== %s\n%s\n' "${part#"$scratch/site/"}" "$rules"
done
