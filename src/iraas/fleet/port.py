"""What the rest of the service may know of the fleet of workers."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class FleetState(NamedTuple):
    """How many workers there are."""

    in_service: int
    starting: int

    @property
    def capacity(self) -> int:
        """What will be working soon, if nothing dies."""
        return self.in_service + self.starting


class Fleet(Protocol):
    """The fleet, as seen from a web process.

    1. `state` is cheap: it may be asked for each request, and may be a second old.
    2. When nothing is known, it says so with zeros and does not raise.
    3. `saw` is cheap, too: it is called for each reply.
    """

    def state(self) -> FleetState:
        """The fleet as last heard of."""
        ...

    def saw(self, worker: str) -> None:
        """A reply came from the worker of this name."""
        ...
