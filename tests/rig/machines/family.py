"""A process -> all that it started, and what those started; ended with the first of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def kill_descendants() -> None:
    """Kill and reap all that descend from this process; orphans too, when it adopts them."""
    while True:
        for pid in children(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:  # no more: theirs came here when they died
            return


def children(parent: int) -> list[int]:
    """Its children, by their numbers. Not from /proc/PID/task/TID/children: not every kernel has it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(stat.parent.name))
    return found
