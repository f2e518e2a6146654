#!/bin/sh
# textconv.sh FILE: what a site file means, for git's diff.NAME.textconv. git hands over one blob in a file of its own,
# so only a file that is a whole site by itself can be compiled; any other is printed as text. Never fails, since git
# would stop there.
file=$1
lbc=${LBC:-lbc}
text() { "$lbc" fmt - <"$file" 2>/dev/null || cat <"$file"; }

scratch=$(mktemp -d) || { text; exit 0; }
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/empty"
# From a folder with nothing in it, so that the same blob gives the same text wherever git asks.
messages=$({ cd "$scratch/empty" && "$lbc" compile - --emit all -o "$scratch/site"; } 2>&1 <"$file") || { text; exit 0; }
case $messages in *'[include-'*) text; exit 0 ;; esac

for part in "$scratch/site"/*/*; do
    case $part in */iptables.rules | */ip6tables.rules | */ipvsadm.rules | */keepalived.conf) ;; *) continue ;; esac
    printf '== %s\n' "${part#"$scratch/site/"}"
    # Without what each such file begins with.
    sed '1,/^[^#]/{/^#/d;}' "$part"
done
