"""iraas.scaling.controller beside others: it takes over a fleet that is there, and looks as often as it may."""

from __future__ import annotations

import pytest
from tests.unit.scaling.test_controller import Bench, FakePlan, Says

from iraas.scaling.controller import Controller


async def test_a_fleet_that_is_there_already_is_where_it_begins():
    """A controller that starts beside a running fleet takes it over as it is, within its bounds."""
    for found, begins in ((7, 7), (0, 2), (99, 9)):
        bench = Bench(Says(), minimum=2, maximum=9)
        bench.hands.workers = found
        bench.controller.begin(found, "found")
        assert bench.ears.decisions == [(0, begins, "found")]
        await bench.pass_time(1)
        assert bench.hands.asked == [begins]


async def test_what_it_took_over_it_does_not_begin_anew(monkeypatch):
    """It goes on from what was found, and never back to the minimum first."""

    async def stop(_seconds: float) -> None:
        raise EOFError

    bench = Bench(Says(), minimum=0)
    bench.hands.workers = 7
    bench.controller.begin(7, "found")
    monkeypatch.setattr("iraas.scaling.controller.asyncio.sleep", stop)
    with pytest.raises(EOFError):
        await bench.controller.run()
    assert bench.ears.decisions == [(0, 7, "found")]
    assert bench.controller.wanted == 7


async def test_how_often_it_looks_is_told():
    """Where each look has its price there is one a second, and still a decision every five."""
    bench = Bench(Says(), minimum=1)
    bench.controller = Controller(
        plan=FakePlan(bench.policy, 1, 9),
        sensor=bench.eyes,
        fleet=bench.hands,
        witness=bench.ears,
        clock=bench.clock,
        longest=5.0,
        look_seconds=1.0,
    )
    for _ in range(20):
        bench.clock.advance(1.0)
        await bench.controller.turn()
    assert (bench.eyes.looks, len(bench.policy.seen)) == (20, 4)
