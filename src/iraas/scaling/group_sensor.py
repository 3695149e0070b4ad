"""queue depth, what web processes accepted -> Observation, for a deployment of many machines.

Workers report to nobody here, so what was answered is what came less what the queue has grown by. What came is known:
each web process counts what it accepts, and publishes it for the others.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from iraas.clock import Clock
from iraas.queues.port import Depth
from iraas.scaling.policy import Observation


class GroupSensor:
    """What a scaling policy sees of a request queue and an Auto Scaling group.

    `check` raises `BackendUnavailable` while the group is not known. `own` counts the pictures that this process ever
    accepted; `others` is the rate of all others, a second, a period or two ago; `replies` wait in this process's
    own response queue. Processors and the age of the oldest job are not known.
    """

    def __init__(
        self,
        *,
        depth: Callable[[], Awaitable[Depth]],
        check: Callable[[], None],
        own: Callable[[], int],
        others: Callable[[], float],
        replies: Callable[[], float],
        service_seconds: Callable[[], float],
        clock: Clock,
    ) -> None:
        self._depth = depth
        self._check = check
        self._own = own
        self._others = others
        self._replies = replies
        self._service_seconds = service_seconds
        self._clock = clock
        self._last = Depth(0, 0, 0.0)
        self._before: int | None = None  # the backlog when last observed; None: nobody looked before
        self._came = own()
        self._since = clock.boot()
        self._in_flight: list[int] = []

    @property
    def backlog(self) -> int:
        """Jobs that are not ended, when last looked."""
        return self._last.visible + self._last.in_flight

    async def look(self) -> None:
        """Take one sample. Raises `BackendUnavailable`."""
        self._check()
        self._last = await self._depth()
        self._in_flight.append(self._last.in_flight)

    def observe(self, *, in_service: int, starting: int, terminating: int = 0) -> Observation:
        """What there is now, and what came and went since this was last asked."""
        now, own = self._clock.boot(), self._own()
        period = max(0.0, now - self._since)
        arrivals = own - self._came + self._others() * period
        grown = 0 if self._before is None else self.backlog - self._before
        samples = self._in_flight
        seen = Observation(
            time=now,
            period=period,
            visible=self._last.visible,
            in_flight=math.fsum(samples) / len(samples) if samples else self._last.in_flight,
            in_service=in_service,
            starting=starting,
            arrivals=arrivals,
            answers=max(0.0, arrivals - grown),
            responses=self._replies(),
            service=self._service_seconds(),
            terminating=terminating,
        )
        self._before, self._came, self._since, self._in_flight = self.backlog, own, now, []
        return seen
