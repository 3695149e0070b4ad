"""group, sums, depth -> one publication, each period: the round that a web process of a deployment makes.

              ┌─ DescribeAutoScalingGroups ──> the fleet
each period ──┼─ GetMetricData ─────────────> what others accepted
              └─ depth and replies ─────────> PutMetricData, with what was decided meanwhile
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.ec2_calls import Answer
from iraas.fleet.ec2_fleet import Ec2Fleet
from iraas.fleet.ec2_metrics import Metrics, Others

# Of a period: a little early or late is then the same period still, and each gets one datapoint of each process.
EARLIEST, LATEST = 0.25, 0.75

Result = TypeVar("Result")
Reading = Callable[[], Awaitable[Mapping[str, float]]]
_chance = random.Random()  # noqa: S311 - so that processes started together do not publish together


class Publisher:
    """Makes the rounds. What fails is told once, and tried again with the next; nothing else suffers by it.

    `readings` are metrics by name, of which some need a call; `accepted` counts the pictures that this process ever
    accepted. `period` is `publish_every`, in seconds.
    """

    def __init__(
        self,
        *,
        metrics: Metrics,
        others: Others,
        fleet: Ec2Fleet,
        describe: Callable[[], Awaitable[Answer]],
        readings: Mapping[str, Reading],
        accepted: Callable[[], int],
        chronicle: Chronicle,
        clock: Clock,
        period: float,
    ) -> None:
        self._metrics = metrics
        self._others = others
        self._fleet = fleet
        self._describe = describe
        self._readings = readings
        self._accepted = accepted
        self._chronicle = chronicle
        self._clock = clock
        self._period = period
        self._phase = period * _chance.uniform(EARLIEST, LATEST)
        self._told = 0  # of the pictures accepted, those that CloudWatch knows of
        self._troubles: dict[str, str] = {}  # kind -> what was said of it, until it works again
        self.known = asyncio.Event()  # the group was described

    async def keep(self) -> None:
        """Publish each period, and once more when something begins to lack; until cancelled."""
        while True:
            await self.turn()
            try:
                async with asyncio.timeout(self.until_next()):
                    await self._fleet.hurry.wait()
            except TimeoutError:
                pass

    def until_next(self) -> float:
        """Seconds until the next publication is due: at the same place in each period of the wall clock."""
        return self._period - (self._clock.time() - self._phase) % self._period

    async def turn(self) -> None:
        """One round. Never raises."""
        _, _, *readings = await asyncio.gather(
            self._try("group", self._look_at_the_group()),
            self._try("sums", self._look_at_the_others()),
            *(self._try(kind, reading()) for kind, reading in self._readings.items()),
        )
        values = {name: value for reading in readings for name, value in (reading or {}).items()}
        await self._try("metrics", self._publish(values))

    async def _look_at_the_group(self) -> None:
        self._fleet.heard(await self._describe())
        self.known.set()

    async def _look_at_the_others(self) -> None:
        self._others.read(await self._metrics.totals(now=self._clock.time()))

    async def _publish(self, values: Mapping[str, float]) -> None:
        at, accepted = self._clock.time(), self._accepted()
        need = self._fleet.need()
        published = {**values, "Accepted": accepted - self._told}
        if need is not None:
            published["Wanted"] = need.wanted
            if need.lacking is not None:
                published["Lacking"] = need.lacking
        await self._metrics.publish(published, at=at)
        self._others.published(accepted - self._told, at=at)
        self._told = accepted

    async def _try(self, kind: str, doing: Awaitable[Result]) -> Result | None:
        try:
            result = await doing
        except IraasError as error:
            if self._troubles.get(kind) != error.detail:
                self._troubles[kind] = error.detail
                capacity = self._fleet.state().capacity
                self._chronicle.trouble(kind, f"{error.detail}; it is tried again", capacity=capacity)
            return None
        self._troubles.pop(kind, None)
        return result
