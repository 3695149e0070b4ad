"""What the rest of the service may know of the fleet of workers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec


class FleetState(NamedTuple):
    """How many workers there are."""

    in_service: int
    starting: int
    busy: int = 0  # of those in service: they hold jobs
    draining: int = 0  # they finish what they hold, and end

    @property
    def capacity(self) -> int:
        """What will be working soon, if nothing dies."""
        return self.in_service + self.starting


class FleetEvent(msgspec.Struct, frozen=True):
    """A change of the fleet, or a trouble with it, in words."""

    at: float  # wall time, seconds
    before: int  # workers, starting ones counted in
    capacity: int  # workers that there should be from now on
    reason: str
    trouble: bool = False  # a worker could not start, or the queue could not be asked


class FleetReport(msgspec.Struct, frozen=True):
    """What whoever steers the fleet last said of it; what is not known is None."""

    minimum: int | None = None  # workers
    maximum: int | None = None
    policy: str | None = None  # its title
    service_seconds: float | None = None  # that one picture keeps one worker busy, as measured
    boot_seconds: float | None = None  # from the start of a worker until it takes jobs, as measured
    events: tuple[FleetEvent, ...] = ()  # the newest first, at most `EVENTS_KEPT`


EVENTS_KEPT = 50


class Fleet(Protocol):
    """The fleet, as seen from a web process.

    1. `state` and `report` are cheap: they may be asked for each request, and may be a second old.
    2. When nothing is known, they say so with zeros and None and do not raise.
    3. `saw` is cheap, too: it is called for each reply.
    """

    def state(self) -> FleetState:
        """The fleet as last heard of."""
        ...

    def report(self) -> FleetReport:
        """What steers it, and what was decided lately."""
        ...

    def saw(self, worker: str) -> None:
        """A reply came from the worker of this name."""
        ...
