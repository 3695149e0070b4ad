"""what a web process knows -> CloudWatch, a call each period; and back: what all of them took in.

depth, replies, pictures accepted, instances lacking ── PutMetricData ──> alarms on their maximum
                                       pictures that other processes accepted <── GetMetricData ──┘

Metrics, their units and what they cost stand in docs/metrics.md.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from iraas.fleet.ec2_calls import Service

NAMESPACE = "iraas"
PERIOD = 10  # seconds; GetMetricData and PutMetricAlarm allow it for what is published with a resolution of 1
PERIODS_READ = 6
SETTLES = 0.5  # periods after its end: high-resolution data can be read a few seconds late
FORGOTTEN = 3.0  # periods after its end; what is older tells nothing of now


class Total(NamedTuple):
    """What all processes of the stack accepted in one period."""

    begin: float  # seconds since 1970
    pictures: float


class Metrics:
    """The custom metrics of one stack: namespace `iraas`, one dimension.

    `period` is `publish_every`: 10 seconds, unless all time runs faster, as in the tests. Raises `Refused`.
    """

    def __init__(self, cloudwatch: Service, *, stack: str, period: float) -> None:
        self._cloudwatch = cloudwatch
        self._dimensions = [{"Name": "Stack", "Value": stack}]
        self._period = period

    async def publish(self, values: Mapping[str, float], *, at: float) -> None:
        """Put each value, as of `at`, in seconds since 1970. NaN is left out: CloudWatch does not take it."""
        data = [
            {
                "MetricName": name,
                "Dimensions": self._dimensions,
                "Timestamp": datetime.fromtimestamp(at, UTC),
                "Value": float(value),
                "Unit": "Count",
                "StorageResolution": 1,
            }
            for name, value in values.items()
            if not math.isnan(value)
        ]
        if data:
            await self._cloudwatch.call("PutMetricData", Namespace=NAMESPACE, MetricData=data)

    async def totals(self, *, now: float) -> list[Total]:
        """`Accepted` of the last periods, the oldest first; those without a datapoint are left out."""
        metric = {"Namespace": NAMESPACE, "MetricName": "Accepted", "Dimensions": self._dimensions}
        answer = await self._cloudwatch.call(
            "GetMetricData",
            MetricDataQueries=[
                {"Id": "accepted", "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": "Sum"}}
            ],
            StartTime=datetime.fromtimestamp(now - PERIODS_READ * self._period, UTC),
            EndTime=datetime.fromtimestamp(now, UTC),
            ScanBy="TimestampAscending",
        )
        return [
            Total(begin.timestamp(), value)
            for result in answer.get("MetricDataResults", ())
            for begin, value in zip(result["Timestamps"], result["Values"], strict=True)
        ]


class Others:
    """What other web processes accept: the sum over all, less one's own part.

    Its own pictures a process knows at once; the others' it learns when their period is over and can be read, and
    takes it that they go on at that rate. Where nothing can be read, there are no others.
    """

    def __init__(self, *, period: float) -> None:
        self._period = period
        self._own: deque[tuple[float, float]] = deque(maxlen=4 * PERIODS_READ)  # published: when, how many
        self._totals: list[Total] = []

    def published(self, pictures: float, *, at: float) -> None:
        """This process's own part, as CloudWatch has it."""
        self._own.append((at, pictures))

    def read(self, totals: list[Total]) -> None:
        """What CloudWatch said."""
        self._totals = totals

    def rate(self, now: float) -> float:
        """Pictures a second; `now` is in seconds since 1970."""
        period = self._period
        for total in reversed(self._totals):
            age = now - (total.begin + period)  # seconds since its end
            if age < SETTLES * period:
                continue
            if age > FORGOTTEN * period:
                break
            own = sum(many for at, many in self._own if 0 <= at - total.begin < period)
            return max(0.0, total.pictures - own) / period
        return 0.0
