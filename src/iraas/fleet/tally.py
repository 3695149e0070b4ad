"""lines of workers -> how many pictures were ended, and how long one keeps a worker busy."""

from __future__ import annotations

import math

SMOOTHING = 0.05  # weight of the newest picture in the service time


class Tally:
    """What the workers of one machine have reported since the supervisor began."""

    def __init__(self) -> None:
        self.ended = 0  # pictures
        self.service_seconds = math.nan  # that one picture keeps one worker busy; NaN: nobody said yet

    def hear(self, line: str) -> None:
        """Take one line, `PICTURES SECONDS`; what is no such line says nothing."""
        try:
            first, second = line.split()
            pictures, seconds = int(first), float(second)
        except ValueError:
            return
        if pictures <= 0 or not 0 <= seconds < math.inf:
            return
        self.ended += pictures
        if seconds > 0:
            weight = 1.0 if math.isnan(self.service_seconds) else 1 - (1 - SMOOTHING) ** pictures
            before = 0.0 if math.isnan(self.service_seconds) else self.service_seconds
            self.service_seconds = before + weight * (seconds / pictures - before)
