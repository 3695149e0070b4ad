"""A value for each round -> their median, and how far they lie apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple, Self


class Spread(NamedTuple):
    """One figure, with the lowest and highest of its rounds."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Iterable[float]) -> Self:
        """The median of the rounds: one round that something disturbed does not move it."""
        values = sorted(rounds)
        return cls(statistics.median(values), values[0], values[-1])

    @classmethod
    def exactly(cls, value: float) -> Self:
        """A figure that was measured once."""
        return cls(value, value, value)


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed; nan of none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
