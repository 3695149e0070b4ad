"""What time it is: wall time for people and retention, boot time for leases."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """A clock that every part is given, so that tests can move it.

    1. `boot` never goes back, counts while the machine sleeps, and is one for all processes of a boot.
    2. `time` is wall time: it may jump either way, and nothing that must be right depends on it.
    """

    @property
    def boot_id(self) -> str:
        """The name of this boot; boot times of two boots cannot be compared."""
        ...

    def time(self) -> float:
        """Wall time in seconds since 1970-01-01T00:00Z."""
        ...

    def boot(self) -> float:
        """Seconds since this machine started."""
        ...


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self._boot_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS lacks the former
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"

    @property
    def boot_id(self) -> str:
        """The kernel's random id of this boot (Linux), else `unknown`."""
        return self._boot_id

    def time(self) -> float:
        """Wall time in seconds since 1970-01-01T00:00Z."""
        return time.time()

    def boot(self) -> float:
        """Seconds since this machine started, sleep included where the system can tell."""
        return time.clock_gettime(self._boot_clock)
