#!/bin/sh
# What lbc does to a director, shown and checked: demo.sh PATH-OF-LBC. The rules go into a network namespace that is
# this process's own and ends with it. Status 1 if a packet gets another mark than the site says, 77 if the machine
# gives no namespace.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
site=two-boxes.lb
client_mac=52:54:00:00:00:99
peer_mac=08:00:27:46:c7:d4 # lb2's in the site
vip=192.168.23.253

if [ "${LBC_DEMO_INSIDE-}" != yes ]; then
    [ $# -eq 1 ] || { echo "usage: demo.sh PATH-OF-LBC" >&2; exit 2; }
    if [ "$(id -u)" -eq 0 ]; then own='--net'; else own='--net --user --map-root-user'; fi
    # shellcheck disable=SC2086 # one or three options
    if ! unshare $own true 2>/dev/null; then
        echo 'demo: this machine gives no network namespace' >&2
        exit 77
    fi
    # shellcheck disable=SC2086
    LBC_DEMO_INSIDE=yes exec unshare $own sh "$here/demo.sh" "$1"
fi

lbc=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$here/../../examples"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The namespace has tables of its own, so its lock is its own too.
export XTABLES_LOCKFILE="$folder/xtables.lock"

bold='' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') green=$(printf '\033[32m') red=$(printf '\033[31m')
    plain=$(printf '\033[0m')
fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
shown() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
good() { printf '%s  ok: %s%s\n' "$green" "$*" "$plain"; }
bad() { printf '%swrong: %s%s\n' "$red" "$*" "$plain" >&2; exit 1; }
mangle() { iptables-legacy-save -t mangle | grep -e '^-A' || true; }

# The director's eth0, and behind a cable the network, from which the packets come.
make_network() {
    ip link set lo up
    ip link add eth0 address 08:00:27:9e:ef:a0 type veth peer name network
    ip address add 192.168.23.11/24 dev eth0
    ip link set eth0 up
    ip link set network up
    director_mac=$(ip -o link show eth0 | sed -n 's/.*link\/ether \([0-9a-f:]*\).*/\1/p')
    # Behind mangle PREROUTING, which has priority -150: the mark that the kernel really gave.
    nft -f - <<END
table ip seen {
    set marks { type mark; size 16; flags dynamic; }
    chain after_mangle {
        type filter hook prerouting priority -140
        iifname "eth0" ip daddr $vip update @marks { meta mark }
    }
}
END
}

# The mark of one packet from this MAC and address to the VIP, as "0x3"; "none" if it never came.
mark_of() {
    nft flush set ip seen marks
    /usr/bin/python3 "$here/packet.py" network "$1" "$director_mac" "$2" "$vip" "${3:-80}"
    tries=50
    while [ "$tries" -gt 0 ]; do
        seen=$(nft list set ip seen marks | sed -n 's/.*elements = { *\(0x[0-9a-f]*\).*/\1/p')
        [ -z "$seen" ] || { printf '0x%x\n' "$((seen))"; return; }
        tries=$((tries - 1))
        sleep 0.1
    done
    echo none
}

make_network

title "The site: two boxes that balance, and serve, the same VIP"
sed -n '/^director/,$p' "$site"

title "Is it sound?"
shown lbc check two-boxes.lb
"$lbc" check -v "$site"

title "What lb1 is to have"
shown lbc compile two-boxes.lb -d lb1 --emit iptables
"$lbc" compile "$site" -d lb1 --emit iptables >"$folder/before.rules"
grep -v '^#' "$folder/before.rules"

title "Apply it to lb1's kernel: a network namespace plays lb1"
shown lbc apply two-boxes.lb -d lb1 --only marks --backend iptables
"$lbc" apply "$site" -d lb1 --only marks --backend iptables
shown iptables-legacy -t mangle -S
iptables-legacy -t mangle -S | grep -e LBC

title "A client's packet enters on eth0, for $vip:80"
mark=$(mark_of "$client_mac" 192.168.23.77)
[ "$mark" = 0x3 ] || bad "it has the mark $mark, and the site says 0x3"
good "mark $mark, so IPVS balances it as service 'fwmark 3'"

title "Its way: rule by rule, and on to lb2"
shown lbc trace two-boxes.lb -d lb1 --to "$vip:80" --live
"$lbc" trace "$site" -d lb1 --to "$vip:80" --live

title "The same packet, but lb2 sent it: it is balanced already"
guard=$(iptables-legacy -t mangle -S LBC-PEER | sed -n 's/.*--set-xmark \(0x[0-9a-f]*\).*/\1/p')
mark=$(mark_of "$peer_mac" 192.168.23.77)
[ "$mark" != 0x3 ] || bad "it has the mark 0x3 too: the two boxes would send it round and round"
[ "$mark" = "$guard" ] || bad "it has the mark $mark, and the rules say $guard"
good "mark $mark, the guard's: no service has it, so the packet is served here, and never forwarded again"

title "A client's packet for another port"
mark=$(mark_of "$client_mac" 192.168.23.77 8080)
[ "$mark" = 0x0 ] || bad "it has the mark $mark, and the site says nothing of it"
good "no mark"

title "That was three packets: a proof is about all of them"
shown lbc verify two-boxes.lb -d lb1 --only marks
"$lbc" verify "$site" -d lb1 --only marks
iptables-legacy -t mangle -I PREROUTING -i eth0 -p tcp --dport 80 -j ACCEPT
shown iptables-legacy -t mangle -I PREROUTING -i eth0 -p tcp --dport 80 -j ACCEPT
if "$lbc" verify "$site" -d lb1 --only marks >"$folder/verified"; then bad "verify does not see the ACCEPT"; fi
cat "$folder/verified"
mark=$(mark_of "$client_mac" 192.168.23.77)
[ "$mark" = 0x0 ] || bad "the client's packet has the mark $mark, and verify says that it has none"
good "and so it is: the client's packet has no mark now"
iptables-legacy -t mangle -D PREROUTING 1

title "Apply again: nothing differs, and nothing is written"
iptables-legacy-save -c -t mangle | grep LBC >"$folder/counters"
shown lbc apply two-boxes.lb -d lb1 --only marks
"$lbc" apply "$site" -d lb1 --only marks
iptables-legacy-save -c -t mangle | grep LBC | diff "$folder/counters" - || bad "the second apply touched the table"
good "every rule is the same, with its counters"

title "The site grows: port 443, and a third real server"
sed 's/tcp 80$/tcp 80, 443/; s/^    real      lb2$/&\n    real      192.168.23.21/' "$site" >"$folder/next.lb"
diff -u "$site" "$folder/next.lb" | tail -n +3 | grep '^[-+]' || true
shown lbc diff two-boxes.lb next.lb --rules
"$lbc" diff "$site" "$folder/next.lb" --rules >"$folder/diff"
grep -q 'lb1.*:443/tcp is now balanced' "$folder/diff" || bad "the diff does not tell of port 443"
cat "$folder/diff"
"$lbc" apply "$folder/next.lb" -d lb1 --only marks
mark=$(mark_of "$client_mac" 192.168.23.77 443)
[ "$mark" = 0x3 ] || bad "port 443 has the mark $mark"
good "port 443 has the mark $mark now"

title "From iptables to nftables, or back: the new rules come first, so no packet goes unmarked"
shown lbc apply next.lb -d lb1 --only marks --backend nft --migrate
"$lbc" apply "$folder/next.lb" -d lb1 --only marks --backend nft --migrate
shown nft list map inet lbc services4_eth0
nft list map inet lbc services4_eth0
[ -z "$(mangle)" ] || bad "something is left in the mangle table: $(mangle)"
mark=$(mark_of "$client_mac" 192.168.23.77 443)
[ "$mark" = 0x3 ] || bad "port 443 has the mark $mark"
good "port 443 still has the mark $mark"

title "Take it all off"
shown lbc remove
"$lbc" remove
[ -z "$(mangle)" ] || bad "something is left: $(mangle)"
mark=$(mark_of "$client_mac" 192.168.23.77)
[ "$mark" = 0x0 ] || bad "the client's packet still has the mark $mark"
if nft list table inet lbc >/dev/null 2>&1; then bad "the table inet lbc is left"; fi
good "the box is as it was"
