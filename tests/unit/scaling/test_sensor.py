"""iraas.scaling.sensor: what came and went is told from depths and reports, though these come late."""

from __future__ import annotations

import math

from iraas.queues.port import Depth
from iraas.scaling.sensor import DEBT_SECONDS, QueueSensor, Worked
from iraas.testing.manual_clock import ManualClock


class Scene:
    """A queue, workers and a sensor in a test's hand."""

    def __init__(self, visible: int = 0) -> None:
        self.clock = ManualClock()
        self.depth = Depth(visible, 0, 0.0)
        self.busy = 0
        self.worked = Worked(0, math.nan, math.nan)
        self.logged: list[int] = []
        self.sensor = QueueSensor(
            depth=self._now(lambda: self.depth),
            count_busy=self._now(lambda: self.busy),
            replies=self._now(lambda: 2),
            worked=lambda: self.worked,
            clock=self.clock,
            on_arrivals=self.logged.append,
        )

    @staticmethod
    def _now(value):
        async def call():
            return value()

        return call

    async def look(
        self, visible: int, in_flight: int = 0, *, ended: int | None = None, busy: int = 0
    ) -> None:
        """A quarter of a second later there is this."""
        self.clock.advance(0.25)
        self.depth, self.busy = Depth(visible, in_flight, 1.5), busy
        if ended is not None:
            self.worked = Worked(ended, 0.2, 0.8)
        await self.sensor.look()


async def test_arrivals_are_growth_and_what_was_ended():
    """Ten more in the queue and five ended are fifteen that came."""
    scene = Scene()
    await scene.look(0)
    await scene.look(8, 2, ended=5)
    seen = scene.sensor.observe(in_service=2, starting=0)
    assert (seen.arrivals, seen.answers, seen.visible) == (15, 5, 8)
    assert (seen.service, seen.boot) == (0.2, 0.8)
    assert seen.responses == 2
    assert seen.oldest_age == 1.5


async def test_what_was_there_before_did_not_come():
    """A backlog of an earlier run is a backlog, and no arrivals."""
    scene = Scene(visible=400)
    await scene.look(400)
    assert scene.sensor.observe(in_service=1, starting=0).arrivals == 0
    assert scene.sensor.backlog == 400


async def test_a_report_that_comes_late_makes_no_arrivals():
    """The queue shrinks, the report follows: nothing came, whatever the order."""
    scene = Scene()
    await scene.look(10)
    await scene.look(4)
    await scene.look(4, ended=6)
    assert scene.sensor.observe(in_service=1, starting=0).arrivals == 0
    assert scene.logged == [0, 0, 0][: len(scene.logged)]


async def test_arrivals_during_a_debt_are_counted_once_it_is_paid():
    """Six left and three came, then the report of six: three have come in all."""
    scene = Scene()
    await scene.look(10)
    await scene.look(7)
    await scene.look(7, ended=6)
    assert scene.sensor.observe(in_service=1, starting=0).arrivals == 3


async def test_under_load_reports_are_always_late_and_still_counted():
    """A minute of work in which the reports are one look behind: what came is what was put in."""
    scene, ended = Scene(), 0
    await scene.look(600)
    for left in range(598, -2, -2):
        await scene.look(left, ended=ended)
        ended += 2
    await scene.look(0, ended=600)
    assert scene.sensor.observe(in_service=1, starting=0).arrivals == 0


async def test_what_nobody_reports_is_forgotten():
    """A worker that dies before its report does not swallow later arrivals."""
    scene = Scene()
    await scene.look(10)
    await scene.look(0)
    for _ in range(round(DEBT_SECONDS / 0.25)):
        await scene.look(0)
    await scene.look(5)
    assert scene.sensor.observe(in_service=1, starting=0).arrivals == 5


async def test_in_flight_and_processors_are_averaged():
    """One snapshot misleads: four looks make a mean, and the next period begins anew."""
    scene = Scene()
    for in_flight, busy in ((0, 0), (8, 2), (8, 2), (0, 0)):
        await scene.look(0, in_flight, busy=busy)
    seen = scene.sensor.observe(in_service=2, starting=1)
    assert (seen.in_flight, seen.cpu, seen.period) == (4.0, 0.5, 1.0)
    await scene.look(0, 6, busy=2)
    assert scene.sensor.observe(in_service=2, starting=0).in_flight == 6


async def test_without_workers_their_share_is_not_known():
    """No worker in service, no division."""
    scene = Scene()
    await scene.look(3)
    assert math.isnan(scene.sensor.observe(in_service=0, starting=1).cpu)
