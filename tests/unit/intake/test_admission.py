"""iraas.intake.admission: what could not be answered in time is refused at the door."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.conftest import FixedFleet

from iraas.errors import BackendUnavailable, Overloaded
from iraas.intake.admission import NEVER_REFUSED, Admission
from iraas.queues.port import Depth
from iraas.testing.manual_clock import ManualClock


class Door:
    """An admission with a depth that the test sets."""

    def __init__(self, *, workers: int = 2, seconds: float = 3.0, owners: int = 1) -> None:
        self.clock = ManualClock()
        self.depth = Depth(0, 0, 0.0)
        self.asked = 0
        self.admission = Admission(
            depth=self._ask,
            fleet=FixedFleet(workers),
            clock=self.clock,
            max_backlog_seconds=seconds,
            owners=lambda: owners,
        )

    async def _ask(self) -> Depth:
        self.asked += 1
        return self.depth

    async def admit(self, count: int, owner: str = "ann") -> int:
        """How many of `count` jobs get in."""
        admitted = 0
        for number in range(count):
            try:
                await self.admission.admit(owner)
            except Overloaded:
                continue
            self.admission.accepted(f"{owner}-{number}-{self.clock.boot()}", owner)
            admitted += 1
        return admitted


async def test_a_burst_into_a_sleeping_service_is_never_refused():
    """Fewer than 256 waiting jobs are let in, also with no worker and a slow model."""
    door = Door(workers=0)
    door.admission.answered("slow", busy_ms=60_000)

    assert await door.admit(NEVER_REFUSED + 50) == NEVER_REFUSED


async def test_what_would_wait_too_long_is_refused():
    """Two workers at 10 ms a picture answer 600 in 3 seconds: the 601st waiting job is one too many."""
    door = Door()
    door.admission.answered("measured", busy_ms=10)

    assert await door.admit(1000) in range(600, 603)


async def test_a_refusal_says_when_to_come_back():
    """Retry-After is the time by which the backlog will have fallen under the bound, and at least a second."""
    door = Door()
    door.admission.answered("measured", busy_ms=10)
    door.depth = Depth(2400, 0, 1.0)

    with pytest.raises(Overloaded) as refusal:
        await door.admission.admit("ann")
    assert refusal.value.retry_after == pytest.approx(9.0)


async def test_in_flight_jobs_count():
    """A job that a worker holds still stands before a new one."""
    door = Door()
    door.admission.answered("measured", busy_ms=10)
    door.depth = Depth(300, 320, 1.0)

    with pytest.raises(Overloaded):
        await door.admission.admit("ann")


async def test_the_depth_is_not_asked_for_each_request():
    """One sample serves a quarter of a second, and what was let in since is added."""
    door = Door()
    await door.admit(100)
    assert door.asked == 1

    door.clock.advance(0.3)
    await door.admit(1)
    await asyncio.sleep(0)
    assert door.asked == 2


async def test_who_is_let_in_does_not_wait_for_the_next_sample():
    """While little waits, a sample that is somewhat too old still serves, and the next one is on its way."""
    door = Door()
    await door.admit(1)
    gate = asyncio.Event()
    ask = door.admission._depth

    async def slow() -> Depth:
        await gate.wait()
        return await ask()

    door.admission._depth = slow
    door.clock.advance(0.3)
    assert await asyncio.wait_for(door.admit(5), 5) == 5
    gate.set()


async def test_nobody_is_refused_by_an_old_sample():
    """A backlog that was worked off since the last look does not keep anybody out."""
    door = Door()
    door.admission.answered("measured", busy_ms=10)
    door.depth = Depth(2_400, 0, 1.0)
    assert await door.admit(1) == 0

    door.depth = Depth(0, 0, 0.0)
    door.clock.advance(0.3)
    assert await door.admit(1) == 1


async def test_an_unreachable_queue_is_not_an_overload():
    """When the depth cannot be had, the send that follows says so."""
    door = Door()

    async def away() -> Depth:
        raise BackendUnavailable

    door.admission._depth = away
    assert await door.admit(1) == 1


async def test_one_key_cannot_take_everything():
    """With several keys one may hold half of what can be answered; the other one still gets in."""
    door = Door(owners=2)
    door.admission.answered("measured", busy_ms=10)

    assert await door.admit(1000, "ann") in range(299, 303)
    assert await door.admit(100, "bob") == 100


async def test_an_answer_gives_its_place_back():
    """A key that got its answers may post again."""
    door = Door(owners=2)
    door.admission.answered("measured", busy_ms=10)
    before = door.clock.boot()
    taken = await door.admit(1000, "ann")
    assert await door.admit(10, "ann") == 0

    for number in range(taken):
        door.admission.answered(f"ann-{number}-{before}")
    door.depth = Depth(300, 0, 1.0)
    door.clock.advance(1)
    assert await door.admit(10, "ann") == 10


async def test_lost_replies_do_not_fill_a_share_for_ever():
    """An empty queue proves that nobody waits, whatever replies were lost."""
    door = Door(owners=2)
    door.admission.answered("measured", busy_ms=10)
    await door.admit(1000, "ann")

    door.clock.advance(1)
    assert await door.admit(10, "ann") == 10


async def test_jobs_that_nobody_waits_for_count_for_their_likely_wait():
    """Where replies are not sent for them, a key's places come back when its jobs should be answered."""
    door = Door(owners=2)
    door.admission.answered("measured", busy_ms=10)
    door.depth = Depth(300, 0, 1.0)
    await door.admission.admit("ann")
    for number in range(300):
        door.admission.accepted(f"ann-{number}", "ann", replied=False)
    with pytest.raises(Overloaded, match="share"):
        await door.admission.admit("ann")

    door.clock.advance(4)  # 600 jobs of 5 ms each
    await door.admission.admit("ann")


def test_some_replies_are_wanted_all_the_same():
    """Of jobs that nobody waits for, one in sixteen tells what a picture costs."""
    door = Door()
    assert sum(door.admission.wants_a_reply() for _ in range(160)) == 10
