"""The queue and its workers, as both ways to simulate them look from outside."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]


class Look(NamedTuple):
    """What there is now, and what happened since the last look."""

    visible: float
    in_flight: float  # averaged since the last look; at the same moment again, how many there are
    oldest_age: float  # seconds, of those that wait
    arrivals: float
    answers: float
    busy: float  # workers at work, averaged; a worker may hold several pictures


class Outcome(NamedTuple):
    """Every picture, or cohorts of them: three arrays of one length, and how many pictures each row stands for."""

    born: Seconds  # when it came
    wait: Seconds  # until a worker began it
    latency: Seconds  # until it was answered
    weight: Seconds


class Line(Protocol):
    """Pictures that come, wait, and are worked on by however many workers there are.

    1. `advance` moves time on, never back; the other methods speak of the moment that it reached.
    2. Workers take the oldest picture first, and what a removed worker had begun is finished.
    3. What a killed worker held stays in flight until its visibility timeout is over, then comes back.
    4. At every look, what came = what was answered + what is visible + what is in flight.
    """

    def advance(self, until: float) -> None:
        """Serve up to this time."""
        ...

    def look(self) -> Look:
        """What there is now."""
        ...

    def add(self, workers: int) -> None:
        """So many more workers."""
        ...

    def remove(self, workers: int, *, busy: bool) -> list[float]:
        """Take workers away, idle ones first and busy ones if allowed; when each is gone, as many as could be."""
        ...

    def kill(self) -> None:
        """One worker is gone without notice."""
        ...

    @property
    def idle(self) -> int:
        """Workers that hold nothing now."""
        ...

    @property
    def came(self) -> float:
        """Pictures that came so far, answered or not."""
        ...

    @property
    def done(self) -> bool:
        """Whether everything that will come was answered."""
        ...

    def outcome(self) -> Outcome:
        """What became of every picture that was answered."""
        ...
