"""A fleet, a queue and a pulse that a test moves by hand."""

from __future__ import annotations

from iraas.errors import BackendUnavailable
from iraas.fleet.port import FleetReport, FleetState
from iraas.queues.port import Depth
from iraas.testing.manual_clock import ManualClock
from iraas.web.depth import LatestDepth
from iraas.web.pace import Pace
from iraas.web.pulse import Pulse


class ToldFleet:
    """A fleet that is as a test says."""

    def __init__(self) -> None:
        self.now = FleetState(in_service=2, starting=1, busy=1)
        self.said = FleetReport()

    def state(self) -> FleetState:
        """As it was told."""
        return self.now

    def report(self) -> FleetReport:
        """As it was told."""
        return self.said

    def saw(self, worker: str) -> None:
        """It stays as it is."""


class Moved:
    """A pulse and everything that it looks at."""

    def __init__(self, *, sample_seconds: float = 0.25) -> None:
        self.clock = ManualClock()
        self.fleet = ToldFleet()
        self.pace = Pace(self.clock)
        self.depth = Depth(0, 0, 0.0)
        self.away = False
        self.questions = 0  # that were put to the queue
        self.pulse = Pulse(
            depth=LatestDepth(self._asked, self.clock),
            fleet=self.fleet,
            pace=self.pace,
            clock=self.clock,
            sample_seconds=sample_seconds,
        )

    async def tick(self, seconds: float) -> None:
        """Let time pass, then look."""
        self.clock.advance(seconds)
        await self.pulse.tick()

    async def _asked(self) -> Depth:
        self.questions += 1
        if self.away:
            raise BackendUnavailable("away")
        return self.depth
