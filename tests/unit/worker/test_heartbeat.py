"""What a worker holds, as others see it."""

from __future__ import annotations

import pytest
from tests.unit.conftest import png

from iraas.telemetry import Telemetry
from iraas.testing.manual_clock import ManualClock
from iraas.testing.memory import MemoryQueue
from iraas.worker.heartbeat import Heartbeat


def held(telemetry: Telemetry) -> float | None:
    """The number on /metrics; None where there is none."""
    found = [
        line for line in telemetry.exposition().decode().splitlines() if line.startswith("iraas_worker_held ")
    ]
    return float(found[0].split()[1]) if found else None


@pytest.fixture
def telemetry() -> Telemetry:
    """A process's own."""
    return Telemetry()


def test_what_a_worker_holds_stands_in_its_numbers(telemetry):
    """Whoever protects the instance from scale-in reads it: 0 once the worker takes jobs, and what it holds then."""
    heartbeat = Heartbeat(lambda: MemoryQueue(clock=ManualClock()), every=3600.0, telemetry=telemetry)
    assert held(telemetry) is None
    heartbeat.start()
    try:
        assert held(telemetry) == 0
        heartbeat.hold(["one", "two", "three"])
        assert held(telemetry) == 3
        heartbeat.drop(["one", "nobody's"])
        assert held(telemetry) == 2
        heartbeat.drop(["two", "three"])
        assert held(telemetry) == 0
    finally:
        heartbeat.stop()


async def test_a_worker_that_answered_everything_holds_nothing(tier):
    """From the first delivery to the last answer."""
    jobs = [await tier.post(data) for data in (png(), png((200, 10, 30)))]
    await tier.work_off(*jobs)

    assert held(tier.parts.telemetry) == 0
