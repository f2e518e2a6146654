"""Network namespaces: a new one, for this thread or as a descriptor, and a thread that goes into one and back."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def _check(status: int) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def own_namespace() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter_new() -> None:
    """Moves the calling thread into a namespace that ends with it."""
    _check(LIBC.unshare(CLONE_NEWNET))


def new_namespace() -> int:
    before = own_namespace()
    try:
        enter_new()
        made = own_namespace()
        LIBC.setns(before, CLONE_NEWNET)
    finally:
        os.close(before)
    return made


class Inside:
    """The calling thread in a namespace."""

    def __init__(self, namespace: int):
        self.namespace = namespace

    def __enter__(self) -> None:
        self.before = own_namespace()
        _check(LIBC.setns(self.namespace, CLONE_NEWNET))

    def __exit__(self, *_: object) -> None:
        LIBC.setns(self.before, CLONE_NEWNET)
        os.close(self.before)
