"""values, in rig seconds -> datapoints, as CloudWatch shows them: by period, late, with gaps."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from iraas.scaling.metrics import ROUNDING, SQS_SLEEPS_AFTER, Published

# Amazon CloudWatch User Guide, "CloudWatch concepts", "Metrics retention": periods below a minute are kept for 3 hours.
KEPT_SECONDS = 3 * 3600.0
KEPT_SAMPLES = 20_000  # of one metric
# How late a period can be read, by namespace. Ours after "a few seconds" and EC2's after two minutes and
# more is what users see; a minute for SQS is our scenarios' assumption, too (`iraas.scaling.metrics`).
DELAYS = {"iraas": 3.0, "AWS/EC2": 120.0, "AWS/AutoScaling": 120.0}
DELAY = 60.0

Dimensions = Mapping[str, str]
_Key = tuple[str, str, frozenset[tuple[str, str]]]


class _Sample(NamedTuple):
    at: float  # rig seconds
    value: float
    seconds: float  # that it held; 0: a moment


class _Metric:
    """The samples of one metric, and what it looks like in periods that somebody asked for."""

    def __init__(self, namespace: str, delay: float) -> None:
        self._sleeps_after = SQS_SLEEPS_AFTER if namespace == "AWS/SQS" else None
        self.delay = delay
        self._samples: deque[_Sample] = deque(maxlen=KEPT_SAMPLES)
        self._views: dict[float, Published] = {}

    def add(self, sample: _Sample) -> None:
        self._samples.append(sample)
        while self._samples[0].at < sample.at - KEPT_SECONDS:
            self._samples.popleft()
        for view in self._views.values():
            view.add(*sample)

    def touch(self, at: float) -> None:
        for view in self._views.values():
            view.touch(at)

    def view(self, period: float) -> Published:
        if period not in self._views:
            view = Published(period=period, delay=self.delay, sleeps_after=self._sleeps_after)
            for sample in self._samples:
                view.add(*sample)
            self._views[period] = view
        return self._views[period]


class MetricStore:
    """All metrics of a rig. Any thread may use it; times are rig seconds.

    1. A metric is a namespace, a name and dimensions; other dimensions are another metric.
    2. A period shows what was put into it, once it is over and the namespace's delay, too; until then, and without
       data, it is NaN. So the newest periods of a late metric are NaN beside those of one that is not late.
    3. SQS's metrics fall asleep as `iraas.scaling.metrics` says, unless the queue is `touch`ed.
    4. Of each metric `KEPT_SECONDS` and `KEPT_SAMPLES` are kept, whatever is put.
    """

    def __init__(self, delays: Mapping[str, float] = DELAYS) -> None:
        self._delays = delays
        self._metrics: dict[_Key, _Metric] = {}
        self._lock = threading.Lock()

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        value: float,
        *,
        at: float,
        seconds: float = 0.0,
    ) -> None:
        """A value: of the moment `at`, or one that held for `seconds` until then."""
        with self._lock:
            self._metric(namespace, name, dimensions).add(_Sample(at, value, seconds))

    def touch(self, namespace: str, name: str, dimensions: Dimensions, *, at: float) -> None:
        """Somebody asked the thing that is measured, so that it counts as active."""
        with self._lock:
            self._metric(namespace, name, dimensions).touch(at)

    def datapoints(
        self,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        *,
        stat: str,
        period: float,
        count: int,
        now: float,
    ) -> list[float]:
        """The last `count` periods that are over at `now`, the oldest first; NaN where nothing can be read."""
        with self._lock:
            metric = self._metrics.get(_key(namespace, name, dimensions))
            if metric is None:
                return [math.nan] * count
            late = last_period(now, period) - last_period(now - metric.delay, period)
            readable = metric.view(period).datapoints(now, max(0, count - late), stat)
            return [*readable, *[math.nan] * min(late, count)]

    def names(self) -> set[tuple[str, str]]:
        """Namespace and name of all metrics."""
        with self._lock:
            return {(namespace, name) for namespace, name, _ in self._metrics}

    def _metric(self, namespace: str, name: str, dimensions: Dimensions) -> _Metric:
        key = _key(namespace, name, dimensions)
        if key not in self._metrics:
            self._metrics[key] = _Metric(namespace, self._delay(namespace))
        return self._metrics[key]

    def _delay(self, namespace: str) -> float:
        return self._delays.get(namespace, DELAY)


def last_period(now: float, period: float) -> int:
    """The number of the period that is not over at `now`: those before it are."""
    return math.floor(now / period + ROUNDING)


def _key(namespace: str, name: str, dimensions: Dimensions) -> _Key:
    return namespace, name, frozenset(dimensions.items())
