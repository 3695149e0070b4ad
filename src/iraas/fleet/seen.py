"""replies -> how many workers there are: who answered lately. For fleets that nobody reports on."""

from __future__ import annotations

from iraas.clock import Clock
from iraas.fleet.port import FleetReport, FleetState

REMEMBER_SECONDS = 60.0  # a worker that has jobs answers within this time; one that has none is not needed


class SeenFleet:
    """The workers whose names stood in replies to this process.

    With a backlog every worker answers every web process, so that the count is right when it matters: for
    the estimate of the wait. Without one it may be low, and nobody is refused then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen_at: dict[str, float] = {}  # boot time, seconds

    def saw(self, worker: str) -> None:
        """A reply came from this worker; an empty name says nothing."""
        if worker:
            self._seen_at[worker] = self._clock.boot()

    def state(self) -> FleetState:
        """Who answered within `REMEMBER_SECONDS`."""
        oldest = self._clock.boot() - REMEMBER_SECONDS
        if any(at < oldest for at in self._seen_at.values()):
            self._seen_at = {worker: at for worker, at in self._seen_at.items() if at >= oldest}
        return FleetState(in_service=len(self._seen_at), starting=0)

    def report(self) -> FleetReport:
        """Nothing is known: whoever steers this fleet does not say so here."""
        return FleetReport()
