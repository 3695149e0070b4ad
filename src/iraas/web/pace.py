"""answers and their waits -> pictures a second, p50 and p95: what this web process did lately.

It stands in the way of every request, so recording costs the same however much was recorded before; what is
asked of it once a second may look at all of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from iraas.clock import Clock

KEPT = 4_096  # of each kind: ten seconds at 400 a second; beyond, the newest of them stand for all
SMOOTHING = 0.05  # weight of the newest picture in the service time


class Latency(NamedTuple):
    """How long requests took, in milliseconds; None when there was none."""

    p50: float | None
    p95: float | None


class Pace:
    """What was accepted, answered and waited for, the last `KEPT` of each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered_at: deque[float] = deque(maxlen=KEPT)  # boot time, seconds
        self._waits: deque[tuple[float, float]] = deque(maxlen=KEPT)  # boot time, seconds that it took
        self.accepted_ever = 0  # jobs queued by this process
        self.moved_at = -math.inf  # boot time at which a job last came or was answered
        self.service_seconds: float | None = None  # that one picture kept its worker busy, smoothed

    def accepted(self) -> None:
        """A job was queued."""
        self.accepted_ever += 1
        self.moved_at = self._clock.boot()

    def answered(self, busy_ms: float = 0.0) -> None:
        """A job's answer was heard of, whether or not anybody waited; `busy_ms` as its worker said, or 0."""
        self.moved_at = self._clock.boot()
        self._answered_at.append(self.moved_at)
        if busy_ms > 0:
            known = busy_ms / 1000 if self.service_seconds is None else self.service_seconds
            self.service_seconds = known + SMOOTHING * (busy_ms / 1000 - known)

    def waited(self, seconds: float) -> None:
        """A request got its answer after `seconds`."""
        self._waits.append((self._clock.boot(), seconds))

    def rate(self, seconds: float) -> float:
        """Answers a second over the last `seconds`."""
        now = self._clock.boot()
        count = sum(1 for _ in takewhile(lambda at: at > now - seconds, reversed(self._answered_at)))
        if count == KEPT:  # there were more: these came within a shorter time
            seconds = max(now - self._answered_at[0], 0.001)
        return count / seconds

    def latency(self, seconds: float) -> Latency:
        """Of the requests that were answered within the last `seconds`."""
        took = sorted(self._took(self._clock.boot() - seconds))
        return Latency(_percentile(took, 0.50), _percentile(took, 0.95))

    def _took(self, since: float) -> Iterator[float]:
        return (wait for _, wait in takewhile(lambda kept: kept[0] > since, reversed(self._waits)))


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share does not exceed (nearest rank), in milliseconds."""
    if not ordered:
        return None
    return 1000 * ordered[math.ceil(share * len(ordered)) - 1]
