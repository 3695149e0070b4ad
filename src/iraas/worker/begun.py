"""Receipts of the pictures in computation -> a note that outlives the worker.

When a worker dies, the pictures that it had only received are innocent: one of those that it was computing
may have killed it. The supervisor reads the note and charges a delivery to these alone. Where nobody reads
it (on a network), every job that comes back is a suspect, which costs time and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


class NoNote:
    """For a worker without a supervisor."""

    def write(self, receipts: Sequence[str]) -> None:
        """Nobody would read it."""


class BegunNote:
    """A note in a file. One `pwrite`: some microseconds a batch, and safe against a death of the writer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._length = 0

    def write(self, receipts: Sequence[str]) -> None:
        """Say what is being computed from now on; an empty sequence: nothing."""
        note = " ".join(receipts).encode()
        os.pwrite(self._file, note.ljust(self._length), 0)
        self._length = len(note)


def read_note(path: Path) -> frozenset[str] | None:
    """The receipts in a dead worker's note, which is then removed; None where there is no note to trust."""
    try:
        found = frozenset(path.read_text().split())
        path.unlink()
    except OSError:
        return None
    return found
