"""A name -> a cgroup of its own for one instance, in the unified hierarchy, gone with the instance."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

EMPTY_SECONDS = 5.0  # a cgroup stays busy for a moment after its last process
LOOK_SECONDS = 0.01
PREFIX = "iraas-rig-"


def unified() -> Path | None:
    """Where this process's cgroup is, in version 2, be it the only one or beside version 1; cgroups(7)."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            mounted = Path(fields.split()[4])
            own = next(
                each[3:] for each in Path("/proc/self/cgroup").read_text().splitlines() if each[:3] == "0::"
            )
            return mounted / own.lstrip("/")
    return None


def name_of(what: str) -> str:
    """A name that says which process's rig made it."""
    return f"{PREFIX}{os.getpid()}-{what}"


class Cgroup:
    """Made at once. Raises `OSError` where that is not allowed."""

    def __init__(self, name: str) -> None:
        home = unified()
        if home is None:
            raise FileNotFoundError("no cgroup2 is mounted here")
        self.path = home / name
        self.path.mkdir()

    def enter(self) -> None:
        """Put this process into it; its children will be, too."""
        (self.path / "cgroup.procs").write_text("0")

    def remove(self) -> None:
        """Remove it and those that were made in it, once no process is left."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while self.path.exists() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(self.path, topdown=False):
                with suppress(OSError):  # busy still
                    os.rmdir(folder)  # noqa: PTH106 - `walk` gives names
            if self.path.exists():
                time.sleep(LOOK_SECONDS)
