"""LatestDepth.lately: how often the queue is asked while nothing happens."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from iraas.queues.port import Depth
from iraas.testing.manual_clock import ManualClock
from iraas.web.depth import REST_SECONDS, LatestDepth

FIVE_MINUTES = 300.0
LAG_SECONDS = 10.0


class Rest:
    """A queue, when it was asked, and who looks at it."""

    def __init__(self, lag_seconds: float) -> None:
        self.clock = ManualClock()
        self.asked: list[float] = []
        self.depth = Depth(0, 0, 0.0)
        self.latest = LatestDepth(self._ask, self.clock, lag_seconds=lag_seconds)
        self.moved_at = -math.inf

    async def look_each_second(self, seconds: int) -> list[float]:
        """Boot times at which the queue was asked meanwhile."""
        before = len(self.asked)
        for _ in range(seconds):
            self.clock.advance(1.0)
            await self.latest.lately(0.5, moved_at=self.moved_at)
        return self.asked[before:]

    async def _ask(self) -> Depth:
        self.asked.append(self.clock.boot())
        return self.depth


@pytest.fixture
def rest():
    return Rest(LAG_SECONDS)


async def test_at_rest_the_queue_is_asked_in_time_for_its_metrics(rest):
    """Hardly ever, and far more often than every five minutes: its metrics never sleep."""
    asked = await rest.look_each_second(1000)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert max(gaps) <= REST_SECONDS + 1 < FIVE_MINUTES
    assert len(asked) <= 1000 / REST_SECONDS + 1


async def test_what_came_is_looked_for_until_the_queue_must_have_counted_it(rest):
    """SQS may count late: an empty queue right after a picture came is no rest yet."""
    await rest.look_each_second(60)
    rest.moved_at = rest.clock.boot()
    asked = await rest.look_each_second(60)
    assert len([at for at in asked if at <= rest.moved_at + LAG_SECONDS]) == LAG_SECONDS
    assert len(asked) <= LAG_SECONDS + 1 + 50 / REST_SECONDS


async def test_a_queue_that_holds_something_is_not_at_rest(rest):
    """It is asked with each look, wherever its jobs came from."""
    rest.depth = Depth(0, 1, 0.0)
    await rest.look_each_second(10)
    assert len(await rest.look_each_second(30)) == 30
