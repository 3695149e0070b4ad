"""starts, finishes -> how many were under way, on the average between two looks; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Under(NamedTuple):
    """What was under way."""

    average: float  # since the last look; at the same moment, how many are now
    now: int
    ended: int  # since the last look


class Occupancy:
    """Pictures, or workers, that are under way from a start to a finish that is known beforehand."""

    def __init__(self) -> None:
        self._open: list[float] = []  # finishes that were still to come at the last look
        self._looked_at = 0.0

    def look(self, starts: Sequence[float], finishes: Sequence[float], now: float) -> Under:
        """What there is now. The two: of everything that began since the last look, before `now`."""
        since = self._looked_at
        ending = [*self._open, *finishes]
        still = [finish for finish in ending if finish > now]
        seconds = (
            math.fsum(finishes)
            - math.fsum(starts)
            + math.fsum(finish - since for finish in self._open)
            - math.fsum(finish - now for finish in still)
        )
        self._open, self._looked_at = still, now
        average = seconds / (now - since) if now > since else float(len(still))
        return Under(max(0.0, average), len(still), len(ending) - len(still))

    def forget(self, finish: float) -> None:
        """One that would have ended then, and was known at the last look, never was."""
        if finish in self._open:
            self._open.remove(finish)
