"""chance -> how long an instance boots, whether it fails, when EC2 takes it back. Pure."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import msgspec
from numpy.random import Generator

HOUR = 3600.0  # seconds

Change = Literal["in service", "failed", "noticed", "interrupted", "ended"]
State = Literal["pending", "in service", "noticed", "terminating"]


class Boot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long it takes from the decision until an instance is in service. Raises `ValueError`."""

    api: float = 0.0  # seconds until EC2 took the request
    pending: float = 0.0  # seconds in EC2's state pending, which are not billed
    boot: float = 60.0  # seconds of the operating system
    start: float = 0.0  # seconds of the application
    spread: tuple[float, ...] = ()  # seconds in all, as measured by the user: drawn from, instead of the sum
    failure: float = 0.0  # share of launches that fail, after the same time
    at_once: int | None = (
        None  # that boot side by side, others after them; None: all (processes of one machine)
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `ValueError`."""
        for field in ("api", "pending", "boot", "start"):
            not_negative(field, getattr(self, field))
        for seconds in self.spread:
            not_negative("spread", seconds)
        if self.at_once is not None and self.at_once < 1:
            raise ValueError(f"at_once: {self.at_once} would never boot; use 1 or more, or leave it out")
        if not 0 <= self.failure < 1:
            raise ValueError(
                f"failure: {self.failure:g} is no share of launches; use 0 or more, and less than 1"
            )

    @property
    def seconds(self) -> float:
        """The mean."""
        if self.spread:
            return sum(self.spread) / len(self.spread)
        return self.api + self.pending + self.boot + self.start

    def draw(self, rng: Generator) -> tuple[float, bool]:
        """Seconds of one launch, and whether it failed."""
        seconds = self.spread[rng.integers(len(self.spread))] if self.spread else self.seconds
        return seconds, self.failure > 0 and bool(rng.random() < self.failure)


class Spot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often EC2 takes instances back. Raises `ValueError`."""

    interruptions: float  # per instance-hour
    notice: float = 120.0  # seconds; EC2 User Guide, "Spot Instance interruption notices": two minutes

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `ValueError`."""
        not_negative("interruptions", self.interruptions)
        not_negative("notice", self.notice)

    def next(self, rng: Generator) -> float:
        """Seconds from the launch until the notice; memoryless, infinity if it never comes."""
        return float(rng.exponential(HOUR / self.interruptions)) if self.interruptions else math.inf


class Event(NamedTuple):
    """What became of an instance."""

    at: float
    instance: int
    change: Change


def not_negative(field: str, seconds: float) -> None:
    """Refuse what is no time and no rate. Raises `ValueError`."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{field}: {seconds:g} is not possible; use 0 or more")
