"""What came of each request, in a few bytes -> Summary."""

from __future__ import annotations

from array import array
from collections import Counter
from enum import IntEnum

import msgspec
import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


class Outcome(IntEnum):
    """What came of a request."""

    RIGHT = 0
    WRONG = 1  # a label, but not this picture's
    REFUSED = 2  # 429 or 503: the service was asked for more than it takes
    MISSING = 3  # no answer, or none that holds a label


class Latency(msgspec.Struct, frozen=True):
    """How long something took, in milliseconds."""

    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


class Tally:
    """One entry a request: 17 bytes, so that a million of them take 17 MB."""

    def __init__(self) -> None:
        self._due = array("d")  # seconds since the load began
        self._late = array("f")  # seconds from then until it was sent
        self._seconds = array("f")  # from when it was due until its answer was there
        self._outcomes = array("B")
        self.why: Counter[str] = Counter()  # of requests that are refused or missing

    def add(self, due: float, late: float, seconds: float, outcome: Outcome, why: str = "") -> None:
        """Keep what came of a request."""
        self._due.append(due)
        self._late.append(late)
        self._seconds.append(seconds)
        self._outcomes.append(outcome)
        if why:
            self.why[why] += 1

    def __len__(self) -> int:
        return len(self._due)

    def count(self, outcome: Outcome) -> int:
        """How many requests came to this."""
        return int((self.outcomes == outcome).sum())

    @property
    def due(self) -> Numbers:
        """When each request was due, in the order in which they ended."""
        return np.array(self._due)

    @property
    def outcomes(self) -> npt.NDArray[np.uint8]:
        """What came of each, in the same order."""
        return np.array(self._outcomes, dtype=np.uint8)

    @property
    def seconds(self) -> Numbers:
        """How long each took, in the same order."""
        return np.array(self._seconds, dtype=np.float64)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Whether each got a label, right or wrong; only these have a latency that says anything."""
        return self.outcomes <= Outcome.WRONG

    @property
    def latency_ms(self) -> Latency | None:
        """Of what was answered; None if nothing was."""
        return _latency(self.seconds[self.answered])

    @property
    def lateness_ms(self) -> Latency | None:
        """By how much requests were sent too late, which is the generator's own shortcoming."""
        return _latency(np.array(self._late, dtype=np.float64))


def _latency(seconds: Numbers) -> Latency | None:
    if not len(seconds):
        return None
    points = np.percentile(seconds, (50, 90, 95, 99))
    return Latency(*(1000 * float(value) for value in (seconds.mean(), *points, seconds.max())))
