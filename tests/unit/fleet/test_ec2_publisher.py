"""iraas.fleet.ec2_publisher: a round a period, whatever fails."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.fleet.test_ec2_fleet import PERIOD, Bench, answer

from iraas.errors import BackendUnavailable
from iraas.fleet import ec2_publisher
from iraas.fleet.ec2_metrics import Others
from iraas.fleet.ec2_publisher import Publisher


class Put:
    """CloudWatch, as far as a publisher sees it."""

    def __init__(self) -> None:
        self.puts: list[dict[str, float]] = []
        self.trouble = ""
        self.put = asyncio.Event()

    async def publish(self, values, *, at):
        if self.trouble:
            raise BackendUnavailable(self.trouble)
        self.puts.append(dict(values))
        self.put.set()

    async def totals(self, *, now):
        if self.trouble:
            raise BackendUnavailable(self.trouble)
        return []


class Round(Bench):
    """A publisher with all around it."""

    def __init__(self) -> None:
        super().__init__()
        self.put = Put()
        self.accepted = 0
        self.group = answer()
        self.away = ""
        self.others = Others(period=PERIOD)
        self.publisher = Publisher(
            metrics=self.put,
            others=self.others,
            fleet=self.fleet,
            describe=self._describe,
            readings={"queue": self._depth, "replies": self._replies},
            accepted=lambda: self.accepted,
            chronicle=self.chronicle,
            clock=self.clock,
            period=PERIOD,
        )

    @property
    def troubles(self) -> list[str]:
        return [event.reason for event in self.fleet.report().events if event.trouble]

    async def _describe(self):
        return self.group

    async def _depth(self):
        if self.away:
            raise BackendUnavailable(self.away)
        return {"Visible": 7.0, "InFlight": 3.0}

    async def _replies(self):
        return {"Responses": 2.0}


@pytest.fixture
def round_():
    return Round()


async def test_everything_is_in_one_call(round_):
    """Queue, replies, arrivals, and what lacks."""
    round_.accepted = 5
    await round_.publisher.turn()
    await round_.fleet.set(6)
    round_.accepted = 12
    await round_.publisher.turn()
    read = {"Visible": 7.0, "InFlight": 3.0, "Responses": 2.0}
    assert round_.put.puts == [
        {**read, "Accepted": 5},
        {**read, "Accepted": 7, "Wanted": 3, "Lacking": 3},
    ]
    assert round_.publisher.known.is_set()


async def test_pictures_that_could_not_be_published_are_published_later(round_):
    """While CloudWatch is away nothing is forgotten, so that the sum over time is right."""
    round_.accepted, round_.put.trouble = 5, "CloudWatch: PutMetricData: Throttling"
    await round_.publisher.turn()
    round_.accepted, round_.put.trouble = 8, ""
    await round_.publisher.turn()
    await round_.publisher.turn()
    assert [values["Accepted"] for values in round_.put.puts] == [8, 0]


async def test_a_trouble_is_told_once(round_):
    """Not each ten seconds for days; again when it is another, and when it comes back."""
    for said in ("AccessDenied", "AccessDenied", "AccessDenied", "", "AccessDenied"):
        round_.away = said
        round_.clock.advance(PERIOD)
        await round_.publisher.turn()
    assert round_.troubles == ["AccessDenied; it is tried again"] * 2


async def test_what_can_be_read_is_published_without_the_rest(round_):
    """A queue that cannot be asked and a group that is not there leave the other metrics."""
    round_.away, round_.group = "away", answer(name="another")
    await round_.publisher.turn()
    assert round_.put.puts == [{"Responses": 2.0, "Accepted": 0}]
    assert not round_.publisher.known.is_set()
    assert len(round_.troubles) == 2


async def test_each_period_gets_one_publication(round_):
    """At the same place of each ten seconds of the wall clock, and far from their edges."""
    clock, publisher = round_.clock, round_.publisher
    places = set()
    for late in (0.0, 0.3, 4.0, 0.0, 9.0, 0.1):
        clock.advance(publisher.until_next())
        places.add(round(clock.time() % PERIOD, 6))
        clock.advance(late)
    [place] = places
    assert ec2_publisher.EARLIEST * PERIOD <= place <= ec2_publisher.LATEST * PERIOD


async def test_a_lack_does_not_wait_for_the_next_period(round_):
    """Something waits and nobody works: it is published within the moment, not within ten seconds."""
    keeping = asyncio.create_task(round_.publisher.keep())
    try:
        await asyncio.wait_for(round_.put.put.wait(), 5)
        round_.put.put.clear()
        await round_.fleet.set(1)
        await asyncio.wait_for(round_.put.put.wait(), 5)
        assert round_.put.puts[-1]["Lacking"] == 1
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
