"""Compares the marks that the kernel sets with those that the model says."""

from __future__ import annotations

import net
from model import Meaning, Packet


def show(mark: int | None) -> str:
    return "dropped" if mark is None else f"{mark:#x}"


def differences(lab: net.Lab, meaning: Meaning, entering: list[Packet], leaving: list[Packet]) -> list[str]:
    """Packets whose mark in the kernel is not the model's."""
    wrong = []
    marks_in, marks_out = lab.measure(entering, leaving)
    for packet, mark in zip(entering, marks_in, strict=True):
        if mark != meaning.incoming(packet):
            wrong.append(f"{packet}: kernel {show(mark)}, language {show(meaning.incoming(packet))}")
    for packet, mark in zip(leaving, marks_out, strict=True):
        if mark != meaning.outgoing(packet):
            wrong.append(f"own {packet}: kernel {show(mark)}, language {show(meaning.outgoing(packet))}")
    return wrong
