"""GET /v1/fleet, each second -> how queue and workers moved while the load was on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

EVERY_SECONDS = 1.0


class Sample(NamedTuple):
    """The service at one moment."""

    at: float  # seconds since the load began
    waiting: float  # jobs that are visible
    in_flight: float
    in_service: float  # workers
    starting: float


class Decided(NamedTuple):
    """What the service's policy did."""

    at: float  # seconds since the load began
    before: int
    capacity: int
    reason: str


class ObservedFleet:
    """What a service said of itself; empty for one that has no such route."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._decisions: dict[tuple[float, str], Decided] = {}

    @property
    def decisions(self) -> list[Decided]:
        """Those made while it was watched, in their order."""
        return sorted(self._decisions.values())

    async def watch(self, ask: Callable[[], Awaitable[dict[str, Any] | None]]) -> None:
        """Ask once a second until cancelled, or until the service says that there is nothing to see."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        while True:
            try:
                said = await ask()
            except OSError:  # overloaded or restarting: it may come back
                said = {}
            if said is None:
                return
            self.add(clock() - begun, said)
            await asyncio.sleep(EVERY_SECONDS - (clock() - begun) % EVERY_SECONDS)

    def add(self, at: float, said: dict[str, Any]) -> None:
        """Keep what it said, `at` seconds after the load began. What is not shaped like a fleet is left out."""
        try:
            queue, workers, now = said["queue"], said["workers"], float(said["at"])
            sample = Sample(
                at,
                *(float(queue[name]) for name in ("visible", "in_flight")),
                *(float(workers[name]) for name in ("in_service", "starting")),
            )
            decisions = [
                Decided(
                    at + float(one["at"]) - now, int(one["before"]), int(one["capacity"]), str(one["reason"])
                )
                for one in said.get("decisions", ())
            ]
            keys = [(float(one["at"]), str(one["reason"])) for one in said.get("decisions", ())]
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        self.samples.append(sample)
        for key, decided in zip(keys, decisions, strict=True):
            if decided.at >= 0:
                self._decisions.setdefault(key, decided)
