"""looks at queues and workers -> Observation: what came, what went, and averages of what changes fast.

A queue does not say how much has come: that is what it has grown by, and what was ended meanwhile. Workers
report a moment late, so that the queue may shrink first; such a debt is kept until the reports are there.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from iraas.clock import Clock
from iraas.queues.port import Depth
from iraas.scaling.policy import Observation

DEBT_SECONDS = 5.0  # without a report; what is owed then was not ended by a worker that lives


class Worked(NamedTuple):
    """What workers have reported so far."""

    ended: int  # pictures, since any moment
    service_seconds: float  # that one picture keeps one worker busy; NaN: not known
    boot_seconds: float  # from the start of a worker until it takes jobs; NaN: not known


class QueueSensor:
    """What a scaling policy sees of a request queue and the workers at it."""

    def __init__(
        self,
        *,
        depth: Callable[[], Awaitable[Depth]],
        count_busy: Callable[[], Awaitable[int]],
        replies: Callable[[], Awaitable[int]],
        worked: Callable[[], Worked],
        clock: Clock,
        on_arrivals: Callable[[int], None] = lambda _pictures: None,
    ) -> None:
        self._depth = depth
        self._count_busy = count_busy
        self._replies = replies
        self._worked = worked
        self._clock = clock
        self._on_arrivals = on_arrivals
        self._last = Depth(0, 0, 0.0)
        self._ended: int | None = None  # reported when last looked; None: never looked
        self._waiting_replies = 0
        self._debt = 0  # pictures that left the queue, and that nobody has reported
        self._debt_since = 0.0  # boot time, of the latest report or the debt's beginning
        self._begin(clock.boot())

    @property
    def backlog(self) -> int:
        """Jobs that are not ended, when last looked."""
        return self._last.visible + self._last.in_flight

    async def look(self) -> None:
        """Take one sample. Raises `BackendUnavailable`; the next sample then covers the time."""
        depth = await self._depth()
        busy = await self._count_busy()
        self._waiting_replies = await self._replies()
        ended = self._worked().ended
        if self._ended is not None:  # else: what lies there came before our time
            grown = depth.visible + depth.in_flight - self.backlog
            self._answers += ended - self._ended
            self._count(grown, reported=ended - self._ended)
        self._last, self._ended = depth, ended
        self._in_flight.append(depth.in_flight)
        self._busy.append(busy)

    def observe(self, *, in_service: int, starting: int, terminating: int = 0) -> Observation:
        """What there is now, and what came and went since this was last asked."""
        now = self._clock.boot()
        busy, worked = _mean(self._busy, 0), self._worked()
        seen = Observation(
            time=now,
            period=max(0.0, now - self._since),
            visible=self._last.visible,
            in_flight=_mean(self._in_flight, self._last.in_flight),
            in_service=in_service,
            starting=starting,
            arrivals=self._arrivals,
            answers=self._answers,
            oldest_age=self._last.oldest_age,
            responses=self._waiting_replies,
            cpu=min(1.0, busy / in_service) if in_service else math.nan,
            service=worked.service_seconds,
            boot=worked.boot_seconds,
            terminating=terminating,
        )
        self._begin(now)
        return seen

    def _begin(self, now: float) -> None:
        self._since = now
        self._arrivals = 0
        self._answers = 0
        self._in_flight: list[int] = []
        self._busy: list[int] = []

    def _count(self, grown: int, *, reported: int) -> None:
        """A balance above zero has come; one below is owed to the reports that are on their way."""
        now = self._clock.boot()
        if self._debt and not 0 <= now - self._debt_since < DEBT_SECONDS:
            self._debt = 0
        came = grown + reported - self._debt
        if reported or not self._debt:  # under load some report is always on its way
            self._debt_since = now
        self._debt = max(0, -came)
        self._arrivals += max(0, came)
        self._on_arrivals(max(0, came))


def _mean(samples: list[int], otherwise: float) -> float:
    return sum(samples) / len(samples) if samples else otherwise
