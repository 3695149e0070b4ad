"""truth, moment by moment -> datapoints, as CloudWatch shows them: a period at a time, late, with gaps. Pure.

One `Published` is one metric. SQS's own metrics have one-minute periods and fall silent with their queue; a
high-resolution custom metric has `period=10` (or 1), `sleeps_after=None` and a delay of a few seconds.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

Statistic = Literal["Average", "Sum", "Minimum", "Maximum", "SampleCount"]
STATISTICS: tuple[str, ...] = get_args(Statistic)

# Amazon SQS Developer Guide, "Monitoring Amazon SQS queues using CloudWatch": metrics come at one-minute intervals; a
# queue counts as active for up to six hours after the last action on it; when it wakes, they are up to 15 minutes late.
SQS_SLEEPS_AFTER = 6 * 3600.0  # seconds
SQS_WAKES_IN = 15 * 60.0  # seconds, the longest that is documented

KEPT_PERIODS = 1500  # a day of minutes and some: an alarm on short periods looks back a day at most
ROUNDING = 1e-9  # of a period: sums of 0.1 s end a hair before the full minute


class _Row:
    """What one period gathered."""

    __slots__ = ("highest", "lowest", "readable", "samples", "seconds", "total", "weighted")

    def __init__(self, readable: float) -> None:
        self.readable = readable  # the time from which it can be read
        self.seconds = 0.0  # that the values held, together
        self.weighted = 0.0  # value x seconds
        self.samples = 0.0  # an `add` that spans periods is a part of a sample in each
        self.total = 0.0
        self.lowest = math.inf
        self.highest = -math.inf

    def take(self, value: float, held: float, share: float) -> None:
        """A sample, or a share of one, that held for some seconds."""
        self.seconds += held
        self.weighted += value * held
        self.samples += share
        self.total += value * share
        if value < self.lowest:
            self.lowest = value
        if value > self.highest:
            self.highest = value

    def statistic(self, name: str) -> float:
        """One number for the period."""
        if name == "Average":
            # A metric of momentary values has no seconds: then each counts the same, as in CloudWatch.
            return self.weighted / self.seconds if self.seconds else self.total / self.samples
        if name == "Maximum":
            return self.highest
        if name == "Minimum":
            return self.lowest
        return self.total if name == "Sum" else self.samples


class Published:
    """One metric as CloudWatch shows it.

    1. A period can be read `delay` seconds after its end, and never before it is over.
    2. A period in which nothing was published is NaN; so is one that is not readable yet or no longer kept.
    3. A metric that was zero for `sleeps_after` seconds without a `touch` publishes nothing until it moves again; what
       it publishes in its first `wakes_in` seconds awake can be read when they are over.
    4. It keeps `KEPT_PERIODS` periods, whatever is added.
    """

    def __init__(
        self,
        *,
        period: float = 60.0,
        delay: float = 60.0,
        sleeps_after: float | None = SQS_SLEEPS_AFTER,
        wakes_in: float = SQS_WAKES_IN,
    ) -> None:
        if not (math.isfinite(period) and period > 0):
            raise ValueError(f"period: {period:g} s is not possible; use 60, or 10 for high resolution")
        if not (math.isfinite(delay) and delay >= 0):
            raise ValueError(f"delay: {delay:g} s is not possible; use 0 or more seconds")
        self.period = period
        self.delay = delay
        self.sleeps_after = math.inf if sleeps_after is None else sleeps_after
        self.wakes_in = wakes_in
        self._rows: dict[int, _Row] = {}  # period number -> what it gathered, oldest first
        self._current = (_Row(math.inf), math.inf, -math.inf)  # the last one used, its begin and its end
        self._active = -math.inf  # last time that the metric moved or was touched
        self._late_until = -math.inf  # what is published now cannot be read before

    def touch(self, at: float) -> None:
        """Something asked the queue at `at`, so that it counts as active: a worker's receive, a read of its depth."""
        if at - self._active > self.sleeps_after and self._rows:
            self._late_until = at + self.wakes_in
        self._active = max(self._active, at)

    def add(self, at: float, value: float, seconds: float = 1.0) -> None:
        """The truth `value` held for `seconds` up to `at`. Averages weigh by seconds; NaN publishes nothing.

        A sum takes `value` once: an `add` that spans two periods gives each its share by time.
        """
        if value != value:  # NaN, without a call: this runs a hundred thousand times in a simulated day
            return
        begin = at - seconds
        if value:
            if begin - self._active > self.sleeps_after:
                self.touch(begin)
            if at > self._active:
                self._active = at
        else:
            if self._active == -math.inf:
                self._active = begin  # a new queue is awake
            awake = self._active + self.sleeps_after
            if begin >= awake:
                return
            at = min(at, awake)
        row, row_begin, row_end = self._current
        if row_begin <= begin < at <= row_end:
            row.take(value, at - begin, 1.0)
        else:
            self._spread(begin, at, value, seconds)

    def _spread(self, begin: float, at: float, value: float, seconds: float) -> None:
        """Give each period its share."""
        first = math.floor(begin / self.period + ROUNDING)
        last = math.ceil(at / self.period - ROUNDING) - 1 if seconds else first
        if last <= first:
            self._row(first).take(value, at - begin, 1.0)
            return
        for number in range(max(first, last - KEPT_PERIODS), last + 1):
            held = min(at, (number + 1) * self.period) - max(begin, number * self.period)
            self._row(number).take(value, held, held / seconds)

    def _row(self, number: int) -> _Row:
        begin, end = number * self.period, (number + 1) * self.period
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = _Row(max(end + self.delay, self._late_until))
            if len(self._rows) > KEPT_PERIODS:
                del self._rows[next(iter(self._rows))]
        self._current = (row, begin, end)
        return row

    def datapoints(self, now: float, count: int, statistic: str = "Average") -> list[float]:
        """The last `count` periods that may be readable at `now`, oldest first; NaN where nothing was published."""
        if statistic not in STATISTICS:
            raise ValueError(f"statistic: {statistic!r} is not known; use one of {', '.join(STATISTICS)}")
        end = math.floor((now - self.delay) / self.period + ROUNDING)  # the first period that is not over
        found = []
        for number in range(end - count, end):
            row = self._rows.get(number)
            readable = row is not None and row.readable <= now + ROUNDING * self.period
            found.append(row.statistic(statistic) if row is not None and readable else math.nan)
        return found
