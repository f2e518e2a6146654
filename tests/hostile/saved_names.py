"""What iptables-nft-save prints of a rule is not the rule where the name of an interface has a line break or a blank."""

from __future__ import annotations

import shutil
import subprocess
import unittest

from lbctest.hostile import LBC, SITE, Case, is_root, main

CAN = is_root() and all(map(shutil.which, ("iptables-nft", "nft", "ip"))) and subprocess.run(
    ["unshare", "-mn", "true"], check=False).returncode == 0


@unittest.skipUnless(CAN, "needs root and iptables-nft")
class SavedNames(Case):
    def verified(self, interface: str) -> int:
        self.write("site.lb", SITE.replace("port tcp 80;", "port tcp 80; mark 3;"))
        rule = f"iptables-nft -t mangle -A PREROUTING -d 192.0.2.10 -p tcp --dport 99 ! -i {interface} -j MARK --set-mark 3"
        done = subprocess.run(
            ["unshare", "-mn", "bash", "-euc", f"""mount -t tmpfs none /run; exec 2>&1
            ip link add eth0 type veth peer name peer || ip link add eth0 type bridge
            ip link set eth0 address 02:00:00:00:00:01 up; ip address add 10.0.0.1/24 dev eth0
            {LBC} apply site.lb -d lb1 --only marks --backend nft
            iptables-nft -t mangle -A POSTROUTING -m statistic --mode nth --every 3 --packet 0 -j TTL --ttl-set 3
            {LBC} verify site.lb -d lb1 --only marks
            {rule}
            status=0; {LBC} verify site.lb -d lb1 --only marks || status=$?; echo "status $status" """],
            cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return int(done.stdout.rsplit("status ", 1)[1])

    def test_no_name_hides_a_mark(self) -> None:
        for interface in ("ab", "$'a\\n#'", "$'a\\n-A OUTPUT'", "'lo -p udp'"):
            self.assertEqual(self.verified(interface), 1, interface)


if __name__ == "__main__":
    main()
