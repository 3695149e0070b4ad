"""iraas.scaling.group_sensor: what a policy sees of a deployment of many machines."""

from __future__ import annotations

import math

import pytest

from iraas.errors import BackendUnavailable
from iraas.queues.port import Depth
from iraas.scaling.group_sensor import GroupSensor
from iraas.testing.manual_clock import ManualClock


class Eyes:
    """A sensor, and all that it looks at."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.depth = Depth(0, 0, 0.0)
        self.accepted = 0
        self.others = 0.0
        self.unknown = False
        self.sensor = GroupSensor(
            depth=self._depth,
            check=self._check,
            own=lambda: self.accepted,
            others=lambda: self.others,
            replies=lambda: 4.0,
            service_seconds=lambda: 0.05,
            clock=self.clock,
        )

    async def pass_time(self, seconds: float):
        """Look, and say what there is."""
        self.clock.advance(seconds)
        await self.sensor.look()
        return self.sensor.observe(in_service=3, starting=2, terminating=1)

    async def _depth(self) -> Depth:
        return self.depth

    def _check(self) -> None:
        if self.unknown:
            raise BackendUnavailable("nothing was heard of the group")


@pytest.fixture
def eyes():
    return Eyes()


async def test_own_arrivals_count_at_once_and_others_by_their_rate(eyes):
    """What this process accepted in the period, and what the others take in a second, for the same time."""
    eyes.accepted, eyes.others = 30, 12.0
    seen = await eyes.pass_time(5)
    assert (seen.period, seen.arrivals) == (5.0, 90.0)
    eyes.accepted = 31
    assert (await eyes.pass_time(5)).arrivals == 61.0


async def test_what_was_accepted_before_is_no_arrival(eyes):
    """A sensor that is made late does not see a burst that was not there."""
    eyes.accepted = 1000
    late = GroupSensor(
        depth=eyes._depth,
        check=eyes._check,
        own=lambda: eyes.accepted,
        others=lambda: 0.0,
        replies=lambda: 0.0,
        service_seconds=lambda: math.nan,
        clock=eyes.clock,
    )
    eyes.clock.advance(5)
    assert late.observe(in_service=0, starting=0).arrivals == 0


async def test_answers_are_arrivals_less_growth(eyes):
    """What came and does not lie there was answered; never fewer than none."""
    eyes.depth = Depth(100, 5, 1.0)
    await eyes.pass_time(5)
    eyes.accepted, eyes.depth = 50, Depth(90, 8, 1.0)
    assert (await eyes.pass_time(5)).answers == 57
    eyes.depth = Depth(500, 8, 1.0)
    assert (await eyes.pass_time(5)).answers == 0


async def test_the_backlog_at_the_start_is_no_change(eyes):
    """What lay there when it first looked neither came nor was answered."""
    eyes.depth = Depth(100, 5, 1.0)
    seen = await eyes.pass_time(5)
    assert (seen.arrivals, seen.answers) == (0, 0)
    assert (seen.visible, seen.in_flight, eyes.sensor.backlog) == (100, 5, 105)


async def test_in_flight_is_averaged(eyes):
    """One snapshot overbuys."""
    for in_flight in (0, 10):
        eyes.depth = Depth(0, in_flight, 0.0)
        await eyes.sensor.look()
    eyes.depth = Depth(7, 20, 0.0)
    seen = await eyes.pass_time(5)
    assert (seen.visible, seen.in_flight) == (7, 10.0)


async def test_the_rest_is_as_it_is_told(eyes):
    """Workers, replies and the service time pass through; processors and ages are not known."""
    seen = await eyes.pass_time(5)
    assert (seen.in_service, seen.starting, seen.terminating) == (3, 2, 1)
    assert (seen.responses, seen.service) == (4.0, 0.05)
    assert math.isnan(seen.cpu)
    assert math.isnan(seen.oldest_age)
    assert math.isnan(seen.boot)


async def test_without_a_group_there_is_no_look(eyes):
    """A controller that does not know the group changes nothing."""
    eyes.unknown = True
    with pytest.raises(BackendUnavailable):
        await eyes.sensor.look()
