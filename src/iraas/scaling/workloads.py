"""shape, rate, duration, chance -> when pictures come, one by one or counted in steps; pure.

A shape is its rate at some knots, with straight lines between them, so that its cumulative rate is known in closed
form and arrivals are drawn exactly: the n-th arrival of a Poisson process of rate 1, seen through its inverse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]  # seconds since the workload began
Counts = npt.NDArray[np.int64]

CHUNK = 100_000  # arrivals that stand in memory at once: 0.8 MB
DAY_SECONDS = 86_400.0
_NIGHT_AND_DAY = 0.8  # of the rate: what the sine takes at night and adds by day
_NOISE = 0.1  # standard deviation of the noise on the daily rate, as a share of it
_NOISE_MEMORY = 0.9  # from one knot to the next: noise that is over in five minutes averages itself away
_WAVES = 10  # in the duration
_DAILY_KNOTS = 288  # a period; every five minutes of a day


class Workload(Protocol):
    """What comes by the clock, whatever is answered.

    1. `arrivals` gives every arrival in [0, duration) once, in order, in arrays of at most `chunk`.
    2. `counts` says how many arrive in each of the `steps_in(duration, step)` steps; the last may be cut short.
    3. Both depend on the generator alone: the same seed gives the same arrivals.
    """

    @property
    def name(self) -> str:
        """What a table calls it."""
        ...

    @property
    def duration(self) -> float:
        """Seconds from its beginning to its end."""
        ...

    @property
    def expected(self) -> float:
        """How many arrivals there are in all, on the average."""
        ...

    def arrivals(self, rng: np.random.Generator, *, chunk: int = CHUNK) -> Iterator[Times]:
        """When each picture comes."""
        ...

    def counts(self, rng: np.random.Generator, *, step: float) -> Counts:
        """How many pictures come in each step of so many seconds."""
        ...


@dataclass(frozen=True, eq=False)
class Shape:
    """Pictures that come at random (Poisson) with a rate that changes over time: a `Workload`."""

    name: str
    duration: float  # seconds
    knots: Times  # ascending, from 0 to the duration; a moment that stands twice is a jump
    levels: Times  # pictures a second at each knot

    @property
    def expected(self) -> float:
        """How many arrivals there are in all, on the average."""
        return float(self._areas()[-1])

    def rates(self, times: Times) -> Times:
        """Expected pictures a second at these times; nothing comes before 0 and from the duration on."""
        at = np.asarray(times, dtype=np.float64)
        piece = self._pieces(at)
        rates = self.levels[piece] + self._slopes()[piece] * (at - self.knots[piece])
        return np.where((at >= 0) & (at < self.duration), rates, 0.0)

    def cumulative(self, times: Times) -> Times:
        """How many pictures come before these times, on the average."""
        at = np.clip(times, 0.0, self.duration)
        piece = self._pieces(at)
        since = at - self.knots[piece]
        return self._areas()[piece] + since * (self.levels[piece] + self._slopes()[piece] * since / 2)

    def arrivals(self, rng: np.random.Generator, *, chunk: int = CHUNK) -> Iterator[Times]:
        """When each picture comes: sorted, in arrays of at most `chunk`."""
        areas, slopes, reached = self._areas(), self._slopes(), 0.0
        while reached < areas[-1]:
            left = areas[-1] - reached
            drawn = min(chunk, math.ceil(left + 4 * math.sqrt(left) + 1))  # seldom more than are needed
            passed = reached + np.cumsum(rng.standard_exponential(drawn))
            reached = float(passed[-1])
            passed = passed[passed < areas[-1]]
            piece = np.searchsorted(areas, passed, side="right") - 1
            area, level = passed - areas[piece], self.levels[piece]
            # The root of slope/2 t² + level t = area, in the form that a slope of zero does not divide by.
            root = np.sqrt(np.maximum(level**2 + 2 * slopes[piece] * area, 0.0))
            times = self.knots[piece] + 2 * area / (level + root)
            if len(times):
                yield np.minimum(times, np.nextafter(self.duration, 0.0))

    def counts(self, rng: np.random.Generator, *, step: float) -> Counts:
        """How many pictures come in each step; the cost grows with the steps, not with the pictures."""
        edges: Times = np.arange(steps_in(self.duration, step) + 1, dtype=np.float64) * step
        return rng.poisson(np.maximum(np.diff(self.cumulative(edges)), 0.0))

    def _pieces(self, times: Times) -> npt.NDArray[np.intp]:
        """Which straight piece each time is on; at a jump, the one after it."""
        return np.clip(np.searchsorted(self.knots, times, side="right") - 1, 0, len(self.knots) - 2)

    def _slopes(self) -> Times:
        widths = np.diff(self.knots)
        return np.divide(np.diff(self.levels), widths, out=np.zeros_like(widths), where=widths > 0)

    def _areas(self) -> Times:
        """The cumulative rate at each knot."""
        pieces = np.diff(self.knots) * (self.levels[1:] + self.levels[:-1]) / 2
        return np.concatenate(([0.0], np.cumsum(pieces)))


@dataclass(frozen=True)
class Burst:
    """Clients that begin at once, each sending its next picture when its last one is answered.

    What it brings depends on the answers, so that who serves it (the simulator, the generator) plays it.
    """

    clients: int = 100
    requests: int = 100  # of all clients together
    think: float = 0.0  # seconds from an answer to the client's next request
    name: str = "burst"

    def __post_init__(self) -> None:
        if self.clients < 1 or self.requests < 1:
            raise ValueError(
                f"a burst of {self.requests} requests from {self.clients} clients is none; both begin at 1"
            )
        if not 0 <= self.think < math.inf:
            raise ValueError(f"think is {self.think}; it is seconds, 0 or more")


def steps_in(duration: float, step: float) -> int:
    """How many steps cover a duration."""
    if not 0 < step < math.inf:
        raise ValueError(f"step is {step}; it is seconds, more than 0")
    return max(1, math.ceil(duration / step - 1e-9))  # 1.1 / 0.1 is a little more than 11


def shape(name: str, *, rate: float, duration: float, seed: int = 0) -> Shape:
    """The shape of this name over `duration` seconds; `seed` is for the noise of `daily` alone.

    `rate`, in pictures a second, is the mean of `steady` and the base of the others:

    steady  rate, all the time
    step    rate in the first third, 3 * rate from there on
    spike   rate, but 10 * rate in the fiftieth of the duration that begins at two fifths
    flash   rate in the first quarter; within a hundredth of the duration up to 10 * rate; what is beyond rate then
            falls by the factor e in each tenth of the duration
    ramp    from rate at the beginning, in a straight line, to 5 * rate at the end
    daily   rate * (1 - 0.8 cos) * noise: from night by day to night, once in 24 hours (once in all, if the duration is
            shorter), so that rate is the mean but for the noise, which has mean 1 and deviation 0.1
    waves   2 * rate in the first half of each tenth of the duration, nothing in the second: lessons and breaks
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise ValueError(f"workload {name!r} is unknown; there are {', '.join(SHAPES)}")
    if not 0 <= rate < math.inf:
        raise ValueError(f"rate is {rate}; it is pictures a second, 0 or more")
    if not 0 < duration < math.inf:
        raise ValueError(f"duration is {duration}; it is seconds, more than 0")
    knots, factors = kind(float(duration), np.random.default_rng(seed))
    return Shape(name, float(duration), knots, rate * factors)


_Curve = tuple[Times, Times]  # seconds, and what the rate is multiplied with there


def _curve(duration: float, *points: tuple[float, float]) -> _Curve:
    """Points as (share of the duration, factor)."""
    shares, factors = np.array(points, dtype=np.float64).T
    return shares * duration, factors


def _steady(duration: float, _: np.random.Generator) -> _Curve:
    return _curve(duration, (0, 1), (1, 1))


def _step(duration: float, _: np.random.Generator) -> _Curve:
    return _curve(duration, (0, 1), (1 / 3, 1), (1 / 3, 3), (1, 3))


def _spike(duration: float, _: np.random.Generator) -> _Curve:
    return _curve(duration, (0, 1), (0.4, 1), (0.4, 10), (0.42, 10), (0.42, 1), (1, 1))


def _flash(duration: float, _: np.random.Generator) -> _Curve:
    fall = np.linspace(0.26, 1.0, 150)
    decay = [(float(share), 1 + 9 * math.exp((0.26 - share) / 0.1)) for share in fall]
    return _curve(duration, (0, 1), (0.25, 1), *decay)


def _ramp(duration: float, _: np.random.Generator) -> _Curve:
    return _curve(duration, (0, 1), (1, 5))


def _daily(duration: float, rng: np.random.Generator) -> _Curve:
    period = min(duration, DAY_SECONDS)
    knots = np.linspace(0.0, duration, math.ceil(_DAILY_KNOTS * duration / period) + 1)
    fresh = rng.standard_normal(len(knots)) * math.sqrt(1 - _NOISE_MEMORY**2)
    noise = [float(rng.standard_normal())]
    for drawn in fresh[1:]:
        noise.append(_NOISE_MEMORY * noise[-1] + drawn)
    # Log-normal, since a rate cannot be negative; the last term makes its mean 1.
    factors = np.exp(_NOISE * np.array(noise) - _NOISE**2 / 2)
    return knots, (1 - _NIGHT_AND_DAY * np.cos(2 * math.pi * knots / period)) * factors


def _waves(duration: float, _: np.random.Generator) -> _Curve:
    points: list[tuple[float, float]] = []
    for number in range(_WAVES):
        up, down, end = number / _WAVES, (number + 0.5) / _WAVES, (number + 1) / _WAVES
        points += [(up, 2), (down, 2), (down, 0), (end, 0)]
    return _curve(duration, *points)


_KINDS: dict[str, Callable[[float, np.random.Generator], _Curve]] = {
    "steady": _steady,
    "step": _step,
    "spike": _spike,
    "flash": _flash,
    "ramp": _ramp,
    "daily": _daily,
    "waves": _waves,
}
SHAPES = tuple(_KINDS)  # what `shape` knows
