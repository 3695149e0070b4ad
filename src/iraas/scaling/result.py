"""Outcome, changes, bill -> what a user wants to know of a simulation; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from iraas.scaling.line import Outcome, Seconds

Mode = Literal["exact", "steps"]


class Spread(msgspec.Struct, frozen=True):
    """A distribution in four numbers, seconds."""

    mean: float
    p50: float
    p95: float
    p99: float


class Change(NamedTuple):
    """A decision that changed the capacity."""

    time: float  # seconds since the beginning
    before: int
    capacity: int
    reason: str


class Timeline(NamedTuple):
    """What there was over time; arrays of one length, a row for each look."""

    time: Seconds
    arrivals: Seconds  # since the row before
    visible: Seconds
    in_flight: Seconds
    in_service: Seconds  # workers
    capacity: Seconds  # with those that start


class Result(NamedTuple):
    """A simulation's end."""

    mode: Mode
    arrivals: float
    answered: float
    wait: Spread  # seconds until a worker began a picture
    latency: Spread  # seconds until it was answered
    late_share: float  # of all pictures, those that waited longer than the objective, or had no answer
    gave_up_share: float  # those whose client was gone before the answer
    instance_hours: float
    peak: int  # workers in service at once
    reversals: int  # a removal after an addition, or the other way round
    cost_per_million: float  # of pictures, in the price's currency
    seconds: float  # until everything was answered
    changes: tuple[Change, ...]
    timeline: Timeline
    outcome: Outcome

    def as_json(self) -> dict[str, object]:
        """The numbers, without what was over time."""
        return {
            "arrivals": round(self.arrivals),
            "answered": round(self.answered),
            "mode": self.mode,
            "wait_s": msgspec.structs.asdict(self.wait),
            "latency_s": msgspec.structs.asdict(self.latency),
            "late_share": self.late_share,
            "gave_up_share": self.gave_up_share,
            "instance_hours": self.instance_hours,
            "peak": self.peak,
            "reversals": self.reversals,
            "cost_per_million": self.cost_per_million,
            "simulated_s": self.seconds,
        }


def spread_of(values: Seconds, weights: Seconds) -> Spread:
    """Mean and quantiles of values that stand for so many pictures each."""
    if not len(values):
        return Spread(0.0, 0.0, 0.0, 0.0)
    if (weights == 1).all():
        p50, p95, p99 = np.percentile(values, (50, 95, 99))
        return Spread(float(values.mean()), float(p50), float(p95), float(p99))
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array((0.5, 0.95, 0.99)) * reached[-1])
    p50, p95, p99 = values[order][np.minimum(places, len(values) - 1)]
    return Spread(float(np.average(values, weights=weights)), float(p50), float(p95), float(p99))


def share_beyond(values: Seconds, weights: Seconds, limit: float, *, of: float) -> float:
    """The part of `of` pictures whose value is beyond the limit; those that are missing count as beyond."""
    if of <= 0:
        return 0.0
    return float(max(0.0, weights[values > limit].sum() + of - weights.sum()) / of)


def reversals(changes: Sequence[Change]) -> int:
    """How often the direction changed."""
    signs = [change.capacity > change.before for change in changes]
    return sum(one != other for one, other in pairwise(signs))
