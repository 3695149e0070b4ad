"""iraas.queues.awake: queues that nobody uses keep their metrics."""

from __future__ import annotations

import pytest

from iraas.errors import BackendUnavailable
from iraas.queues.awake import AWAKE_SECONDS, keep_awake

FIVE_MINUTES = 300.0


class Counted:
    """A queue that counts who asks, and may be away."""

    def __init__(self, *, away: bool = False) -> None:
        self.asked = 0
        self._away = away

    async def depth(self):
        self.asked += 1
        if self._away:
            raise BackendUnavailable("away")


class Enough(Exception):
    """The test has seen what it wanted."""


async def test_every_queue_is_asked_within_five_minutes():
    """Whatever one of them answers, the next is asked, and all of them again in time."""
    queues = [Counted(away=True), Counted()]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert [queue.asked for queue in queues] == [len(slept)] * 2
        if len(slept) == 3:
            raise Enough

    with pytest.raises(Enough):
        await keep_awake(queues, sleep=sleep)
    assert slept == [AWAKE_SECONDS] * 3
    assert AWAKE_SECONDS < FIVE_MINUTES
