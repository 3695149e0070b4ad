"""Time in the rig: a day of AWS in minutes of ours."""

from __future__ import annotations

import time


class RigClock:
    """Counts `scale` rig seconds a second, from zero."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self._begun = time.monotonic()

    def now(self) -> float:
        """Rig seconds since the beginning."""
        return (time.monotonic() - self._begun) * self.scale

    def real(self, seconds: float) -> float:
        """So many rig seconds, in real ones."""
        return seconds / self.scale
