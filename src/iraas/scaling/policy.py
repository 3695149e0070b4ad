"""Observation, History -> Decision. What a scaling policy sees, remembers and says; pure.

The same objects drive the simulator, the workers of one machine and the alarms of AWS: a policy has no clock,
no queue and no fleet, and whoever asks it does what it says.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import msgspec


class Observation(NamedTuple):
    """What there is at one moment, and what came and went since the last one. NaN: not known."""

    time: float  # seconds, from any origin
    period: float  # seconds since the last observation
    visible: float  # jobs that wait for a worker
    in_flight: float  # jobs that a worker holds, averaged over the period: one snapshot overbuys
    in_service: int  # workers that take jobs
    starting: int  # workers that will
    arrivals: float = math.nan  # jobs that came in the period
    answers: float = math.nan  # jobs that were ended in the period
    oldest_age: float = math.nan  # seconds, of the oldest job that is not ended
    responses: float = math.nan  # replies that wait in response queues
    cpu: float = math.nan  # of all workers in service, 0 to 1, averaged over the period
    service: float = math.nan  # seconds that one picture keeps one worker busy, as measured
    boot: float = math.nan  # seconds from the start of a worker until it takes jobs, as measured
    terminating: int = 0  # workers that end what they hold and are gone then; they are no capacity

    @property
    def capacity(self) -> int:
        """Workers that there are or will be soon."""
        return self.in_service + self.starting

    @property
    def backlog(self) -> float:
        """Jobs that are not ended."""
        return self.visible + self.in_flight


class Decision(NamedTuple):
    """How many workers there should be, starting ones counted in, and why."""

    capacity: int
    reason: str


MOST_IN_WINDOW = 10_000  # values: a day of an alarm's datapoints at 10 s, and some


class History:
    """What a policy remembers of its past: averages, largest values, datapoints, and when it last acted.

    Bounded, whatever happens: a window holds what is younger than its seconds, and never more than `MOST_IN_WINDOW`.
    When the clock goes back, what it held is as old as the new time: nothing is forgotten early, nothing kept for ever.
    """

    def __init__(self) -> None:
        self.states: dict[str, str] = {}  # of alarms, by name
        self.times: dict[str, float] = {}  # seconds; when something was last done, by name
        self._means: dict[str, tuple[float, float]] = {}  # name -> time, value
        self._windows: dict[str, deque[tuple[float, float]]] = {}
        self._parts: dict[int, History] = {}

    def mean(self, name: str, value: float, *, at: float, seconds: float) -> float:
        """The exponentially weighted mean of what was given under this name, with `seconds` as its memory."""
        then, old = self._means.get(name, (at, value))
        weight = 1.0 - math.exp(-max(0.0, at - then) / seconds)
        new = old + weight * (value - old)
        self._means[name] = (at, new)
        return new

    def window(self, name: str, value: float, *, at: float, seconds: float) -> list[float]:
        """What was given under this name in the last `seconds`, this value as the last one."""
        kept = self._windows.setdefault(name, deque(maxlen=MOST_IN_WINDOW))
        if kept and kept[-1][0] > at:
            earlier = [(min(time, at), old) for time, old in kept]
            kept.clear()
            kept.extend(earlier)
        while kept and kept[0][0] <= at - seconds:
            kept.popleft()
        kept.append((at, value))
        return [value for _, value in kept]

    def part(self, number: int) -> History:
        """The history of one of the rules that a combination asks."""
        return self._parts.setdefault(number, History())


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """A rule for the number of workers, as data.

    1. `decide` depends on its arguments alone, and changes nothing but the history.
    2. What it cannot see (NaN) changes nothing: it keeps the capacity, and says what is missing.
    3. A wrong field raises `ValueError` when the policy is made; the message names field and mend.
    4. Bounds are not its business: `Plan` keeps what it says between its minimum and maximum.
    """

    @property
    def title(self) -> str:
        """A few words, for tables."""
        raise NotImplementedError

    @property
    def deployable(self) -> bool:
        """Whether CloudWatch alarms and Auto Scaling can run it without a controller of ours."""
        raise NotImplementedError

    @property
    def every(self) -> float:
        """Seconds between two decisions."""
        return 5.0

    def decide(self, seen: Observation, history: History) -> Decision:
        """How many workers there should be now."""
        raise NotImplementedError


def keep(seen: Observation, reason: str) -> Decision:
    """No change."""
    return Decision(seen.capacity, reason)
