"""tests.rig.metric_store: datapoints as CloudWatch shows them."""

from __future__ import annotations

import math

import pytest
from tests.rig.metric_store import DELAY, KEPT_SECONDS, MetricStore

from iraas.scaling.metrics import SQS_SLEEPS_AFTER

OURS = {"Stack": "s"}
QUEUE = {"QueueName": "s-requests"}
VISIBLE = "ApproximateNumberOfMessagesVisible"


@pytest.fixture
def store():
    return MetricStore()


def ours(store: MetricStore, stat: str, *, count: int, now: float, period: float = 10) -> list[float]:
    """The last periods of our own metric."""
    return store.datapoints("iraas", "Lacking", OURS, stat=stat, period=period, count=count, now=now)


def test_a_period_is_shown_when_it_is_over_and_readable(store):
    """High-resolution data of ours can be read three seconds late; what is not there is missing."""
    store.put("iraas", "Lacking", OURS, 4, at=1002)
    assert math.isnan(ours(store, "Maximum", count=1, now=1012.9)[0])
    assert ours(store, "Maximum", count=1, now=1013) == [4]
    assert math.isnan(ours(store, "Maximum", count=1, now=1023)[0])


@pytest.mark.parametrize(
    ("stat", "expected"), [("Average", 2), ("Sum", 6), ("Minimum", -1), ("Maximum", 5), ("SampleCount", 3)]
)
def test_statistics_are_over_all_who_published(store, stat, expected):
    """Three processes in one period."""
    for value, at in ((5, 1001), (-1, 1004), (2, 1009.9)):
        store.put("iraas", "Lacking", OURS, value, at=at)
    assert ours(store, stat, count=1, now=1013) == [expected]


def test_a_minute_is_made_of_its_seconds(store):
    """The same values in other periods, also those that were put before anybody asked."""
    for second in range(120):
        store.put("iraas", "Lacking", OURS, 1, at=1200 + second)
    assert ours(store, "Sum", count=2, now=1323, period=60) == [60, 60]
    assert ours(store, "Sum", count=2, now=1323) == [10, 10]


def test_other_dimensions_are_another_metric(store):
    """And so are another name and another namespace."""
    store.put("iraas", "Lacking", {"Stack": "another"}, 1, at=1001)
    store.put("iraas", "Wanted", OURS, 1, at=1001)
    store.put("another", "Lacking", OURS, 1, at=1001)
    assert all(math.isnan(value) for value in ours(store, "Sum", count=5, now=1013))


def test_sqs_is_late_by_a_minute_and_falls_asleep(store):
    """A queue that was empty for six hours publishes nothing until it is asked or used again."""

    def shown(now: float) -> float:
        value, late = store.datapoints(
            "AWS/SQS", VISIBLE, QUEUE, stat="Maximum", period=60, count=2, now=now + DELAY
        )
        assert math.isnan(late)
        return value

    store.datapoints("AWS/SQS", VISIBLE, QUEUE, stat="Maximum", period=60, count=1, now=0)
    store.put("AWS/SQS", VISIBLE, QUEUE, 0, at=60, seconds=60)
    assert shown(60) == 0
    late = 60 + SQS_SLEEPS_AFTER + 120
    store.put("AWS/SQS", VISIBLE, QUEUE, 0, at=late, seconds=60)
    assert math.isnan(shown(late))


def test_minutes_of_a_late_metric_stand_beside_those_of_others(store):
    """What is asked at one time is of the same minutes: the newest ones of the late metric are missing."""
    cpu = {"AutoScalingGroupName": "s-web"}
    for minute in range(1, 11):
        store.put("iraas", "Responses", OURS, minute, at=minute * 60.0, seconds=60)
        store.put("AWS/EC2", "CPUUtilization", cpu, minute, at=minute * 60.0, seconds=60)
    asked = {"stat": "Average", "period": 60, "now": 603.0}
    assert store.datapoints("iraas", "Responses", OURS, count=4, **asked) == [7, 8, 9, 10]
    assert store.datapoints("AWS/EC2", "CPUUtilization", cpu, count=4, **asked)[:2] == [7, 8]
    for count in (1, 2, 4):
        newest = store.datapoints("AWS/EC2", "CPUUtilization", cpu, count=count, **asked)[-2:]
        assert all(math.isnan(value) for value in newest)
        assert len(newest) == min(2, count)


def test_what_is_kept_is_bounded(store):
    """A rig that runs for days does not grow."""
    for second in range(0, round(4 * KEPT_SECONDS), 10):
        store.put("iraas", "Lacking", OURS, 1, at=float(second))
    [metric] = store._metrics.values()
    assert len(metric._samples) <= KEPT_SECONDS / 10 + 1
