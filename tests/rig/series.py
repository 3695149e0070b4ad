"""what an alarm or a tracking policy watches + a source of metrics -> datapoints; pure: it is told the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tests.rig.expressions import Expression

Properties = Mapping[str, Any]  # of a CloudFormation resource, with references resolved


class MetricSource(Protocol):
    """Where datapoints come from."""

    def datapoints(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        stat: str,
        period: float,
        count: int,
        now: float,
    ) -> list[float]:
        """The newest `count` periods (of so many seconds) that are over at `now`, oldest first; NaN: no data."""
        ...


class One:
    """A single metric, as an alarm or target tracking names it."""

    def __init__(self, properties: Properties, *, stat: str, period: float) -> None:
        self.period = period
        self._named = _named(properties)
        self._stat = stat

    def datapoints(self, source: MetricSource, *, count: int, now: float) -> list[float]:
        """The newest ones."""
        namespace, name, dimensions = self._named
        return source.datapoints(
            namespace, name, dimensions, stat=self._stat, period=self.period, count=count, now=now
        )


class Reckoned:
    """`Metrics`: metrics and expressions by id, one of which is what counts. Raises `ValueError`."""

    def __init__(self, queries: Sequence[Properties], *, period: float | None = None) -> None:
        self._ones: dict[str, One] = {}
        self._expressions: dict[str, Expression] = {}
        shown = []
        for query in queries:
            known = {"Id", "Expression", "MetricStat", "ReturnData", "Label", "Period"}
            refuse_others(query, known, "a metric data query")
            name = query["Id"]
            if not name[:1].islower() or name in {*self._ones, *self._expressions}:
                raise ValueError(f"Id: {name!r} must begin with a small letter, and be there once")
            if "Expression" in query:
                self._expressions[name] = Expression(query["Expression"])
            else:
                self._ones[name] = _stat(query["MetricStat"], period)
            if query.get("ReturnData", True):
                shown.append(name)
        if len(shown) != 1:
            raise ValueError(f"Metrics: exactly one must return data, and {', '.join(shown) or 'none'} does")
        [self._shown] = shown
        periods = {one.period for one in self._ones.values()}
        if len(periods) != 1:
            raise ValueError("Metrics: all must have the same period")
        [self.period] = periods

    def datapoints(self, source: MetricSource, *, count: int, now: float) -> list[float]:
        """The newest ones of the query that returns data. Raises `ValueError` for an id that nothing has."""
        series = {name: one.datapoints(source, count=count, now=now) for name, one in self._ones.items()}
        left = dict(self._expressions)
        while left:  # an expression may use others, wherever they stand
            ready = [name for name in left if not left[name].ids & left.keys()]
            if not ready:
                raise ValueError(f"Metrics: {', '.join(left)} need one another")
            for name in ready:
                series[name] = left.pop(name).evaluate(series)
        return series[self._shown]


def _stat(stat: Properties, period: float | None) -> One:
    refuse_others(stat, {"Metric", "Stat", "Period", "Unit"}, "MetricStat")
    return One(stat["Metric"], stat=stat["Stat"], period=float(stat.get("Period", period)))


def _named(metric: Properties) -> tuple[str, str, dict[str, str]]:
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
    for name, value in dimensions.items():
        if not isinstance(value, str):
            raise ValueError(f"Dimensions: {name} is {value!r}, and not resolved")
    return metric["Namespace"], metric["MetricName"], dimensions


def refuse_others(properties: Properties, known: set[str], what: str) -> None:
    """What the rig does not know must not pass for done. Raises `ValueError`."""
    if unknown := sorted(set(properties) - known):
        raise ValueError(f"{what}: {', '.join(unknown)} is not known to the rig")
