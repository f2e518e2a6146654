"""Who speaks slowly, not at all, or without the right to the process that waits for `confirm`."""

from __future__ import annotations

import os
import shutil
import socket
import time

from lbctest import director
from lbctest.director import PATIENCE, Director, as_nobody, lbc, processes, table
from lbctest.hostile import LBC, main


def socket_path() -> str:
    """Of this network namespace."""
    cookie = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = int.from_bytes(cookie.getsockopt(socket.SOL_SOCKET, 71, 8), "little")  # SO_NETNS_COOKIE
    cookie.close()
    return f"/run/lbc/confirm-{number}"


def connect() -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.connect(socket_path())  # waits for room
        client.settimeout(PATIENCE)
    except OSError:
        client.close()
        raise
    return client


class SlowClients(Director):
    def test_the_change_is_taken_back_in_time(self) -> None:
        self.change(within="8s")
        client = connect()
        end = time.monotonic() + PATIENCE
        while table() != self.before:
            self.assertLess(time.monotonic(), end, "the change is still there")
            try:
                client.send(b"c")
            except OSError:  # it was not waited for; the next one comes
                client.close()
                client = self.connect_or_not() or client
            time.sleep(0.5)
        client.close()

    @staticmethod
    def connect_or_not() -> socket.socket | None:
        try:
            return connect()
        except OSError:  # the process has ended meanwhile
            return None

    def test_an_answer_comes_between_silent_clients(self) -> None:
        self.change()
        clients = [connect() for _ in range(20)]
        self.assertEqual(lbc("confirm").stdout, "the change is kept\n")
        self.assertNotEqual(table(), self.before)
        for client in clients:
            client.close()

    def test_words_that_are_none(self) -> None:
        self.change()
        for word in (b"", b"confirmed", b"confir", b"confirm\0", b"x" * 100_000):
            client = connect()
            try:
                client.sendall(word)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(client.recv(100), b"")
            except (BrokenPipeError, ConnectionResetError):
                pass
            client.close()
        self.assertEqual(lbc("rollback").stdout, "the change is rolled back\n")
        self.assertEqual(table(), self.before)


class UntilWhen(Director):
    def test_people_are_told_until_when_to_confirm(self) -> None:
        said = self.apply(self.other, "--confirm-within", "600s").stderr
        self.assertRegex(said, r"lb1: run `lbc confirm` until \d\d:\d\d:\d\d \S+ to keep the change; after that lbc rolls it back")
        self.assertEqual(lbc("rollback").returncode, 0)
        said = self.apply(self.other, "--confirm-within", "48h").stderr
        self.assertRegex(said, r"lb1: run `lbc confirm` until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ to keep")
        self.assertEqual(lbc("rollback").returncode, 0)
        self.assertNotIn("until", self.apply(self.other, "--confirm-within", "600s", "--json").stderr)
        self.assertEqual(lbc("rollback").returncode, 0)


class Strangers(Director):
    def setUp(self) -> None:
        super().setUp()
        self.program = self.folder / "lbc"
        shutil.copy(LBC, self.program)
        self.program.chmod(0o755)

    def test_the_right_is_missing_and_nobody_says_that_none_waits(self) -> None:
        self.change()
        for word in ("confirm", "rollback"):
            done = as_nobody(str(self.program), word)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("Permission denied", done.stderr)
            self.assertNotIn("is pending", done.stderr)

    def test_a_stranger_is_not_obeyed_also_where_the_socket_lets_him_in(self) -> None:
        self.change()
        os.chmod(socket_path(), 0o666)
        done = as_nobody(str(self.program), "confirm")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(processes(os.path.realpath(LBC))), 1)
        self.assertEqual(lbc("rollback").stdout, "the change is rolled back\n")
        self.assertEqual(table(), self.before)


if __name__ == "__main__":
    director.enter()
    main()
