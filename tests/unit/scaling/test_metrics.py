"""iraas.scaling.metrics: what CloudWatch shows of the truth, and when."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.metrics import KEPT_PERIODS, Published

HOUR = 3600


def fill(metric, values, *, start=0.0):
    """One value a second."""
    for second, value in enumerate(values, start=1):
        metric.add(start + second, value)


def shown(values):
    """NaN as None, so that lists compare."""
    return [None if math.isnan(value) else value for value in values]


def test_a_period_shows_after_its_end_and_the_delay():
    """A one-minute datapoint is there a minute after its minute, and not a second earlier."""
    metric = Published(period=60, delay=60)
    fill(metric, [5.0] * 130)

    assert shown(metric.datapoints(119.9, 1)) == [None]
    assert metric.datapoints(120.0, 1) == [5.0]


def test_a_period_that_runs_still_is_not_shown():
    """Only whole periods can be read, however short the delay."""
    metric = Published(period=60, delay=0)
    fill(metric, [1.0] * 60 + [9.0] * 59)

    assert shown(metric.datapoints(119.0, 2)) == [None, 1.0]
    assert metric.datapoints(120.0, 2) == [1.0, 9.0]


def test_a_high_resolution_metric_is_quick():
    """Ten-second periods with two seconds' delay, oldest first."""
    metric = Published(period=10, delay=2, sleeps_after=None)
    fill(metric, [float(second // 10) for second in range(40)])

    assert metric.datapoints(42.0, 4) == [0.0, 1.0, 2.0, 3.0]
    assert metric.datapoints(41.9, 2) == [1.0, 2.0]


def test_an_average_weighs_by_time():
    """A value that held for 54 seconds counts nine times one that held for 6."""
    metric = Published(delay=0)
    metric.add(54.0, 10.0, seconds=54.0)
    metric.add(60.0, 0.0, seconds=6.0)

    assert metric.datapoints(60.0, 1) == [pytest.approx(9.0)]


def test_a_value_that_holds_over_several_periods_shows_in_each():
    """A simulator says one value for minutes: each of them has it, and a sum is shared out by time."""
    metric = Published(delay=0)
    metric.add(150.0, 30.0, seconds=150.0)
    metric.add(180.0, 30.0, seconds=30.0)

    assert metric.datapoints(180.0, 3) == pytest.approx([30.0, 30.0, 30.0])
    assert metric.datapoints(180.0, 3, "Sum") == pytest.approx([12.0, 12.0, 36.0])
    assert metric.datapoints(180.0, 3, "SampleCount") == pytest.approx([0.4, 0.4, 1.2])


def test_each_statistic():
    """Sum, count and extremes are of what was added, one value an `add`."""
    metric = Published(delay=0)
    fill(metric, [1.0, 4.0, 7.0], start=10.0)

    found = {
        name: metric.datapoints(60.0, 1, name)[0]
        for name in ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
    }
    assert found == pytest.approx(
        {"Average": 4.0, "Sum": 12.0, "Minimum": 1.0, "Maximum": 7.0, "SampleCount": 3.0}
    )


def test_moments_count_the_same():
    """A metric of momentary values (`seconds=0`) averages over them, and a moment at the minute begins the next."""
    metric = Published(delay=0)
    for at, value in ((0.0, 1.0), (59.0, 3.0), (60.0, 50.0)):
        metric.add(at, value, seconds=0.0)

    assert metric.datapoints(120.0, 2) == [2.0, 50.0]


def test_an_unknown_statistic_is_refused():
    """The message says which there are."""
    with pytest.raises(ValueError, match=r"statistic: 'p95'.*Average, Sum"):
        Published().datapoints(0.0, 1, "p95")


@pytest.mark.parametrize(
    "fields", [{"period": 0.0}, {"period": math.nan}, {"delay": -1.0}, {"delay": math.inf}]
)
def test_impossible_times_are_refused(fields):
    """A period of nothing and a delay into the past are named."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        Published(**fields)


def test_nothing_published_is_missing():
    """What is not known (NaN) is not published, and a gap is NaN."""
    metric = Published(delay=0, sleeps_after=None)
    fill(metric, [1.0] * 60 + [math.nan] * 60 + [3.0] * 60)

    assert shown(metric.datapoints(180.0, 4)) == [None, 1.0, None, 3.0]


def test_an_idle_queue_falls_silent():
    """After `sleeps_after` seconds of nothing, nothing is published; a metric of one's own never sleeps."""
    queue = Published(delay=0, sleeps_after=900.0)
    own = Published(delay=0, sleeps_after=None)
    for metric in (queue, own):
        fill(metric, [1.0] * 60 + [0.0] * 1800)

    assert queue.datapoints(960.0, 1) == [0.0]
    assert shown(queue.datapoints(1860.0, 15)) == [None] * 15
    assert own.datapoints(1860.0, 15) == [0.0] * 15


def test_a_new_queue_is_awake():
    """A queue that never held anything publishes zeros until it falls asleep."""
    metric = Published(delay=0, sleeps_after=900.0)
    metric.add(3600.0, 0.0, seconds=3600.0)

    assert metric.datapoints(900.0, 15) == [0.0] * 15
    assert shown(metric.datapoints(960.0, 1)) == [None]


def test_a_queue_that_wakes_is_late():
    """What a waking queue publishes can be read up to 15 minutes later, and then all at once."""
    metric = Published(delay=60, sleeps_after=6 * HOUR, wakes_in=900.0)
    fill(metric, [1.0] * 60)
    woke = 7 * HOUR
    metric.add(woke, 0.0, seconds=woke - 60.0)
    fill(metric, [8.0] * 900, start=woke)

    assert shown(metric.datapoints(woke + 899.0, 3)) == [None] * 3
    assert metric.datapoints(woke + 900.0, 14) == [8.0] * 14


def test_a_queue_that_someone_asks_stays_awake():
    """Whoever reads the queue's attributes keeps it active, so that its zeros go on being published."""
    metric = Published(delay=0, sleeps_after=900.0)
    for second in range(1, 3601):
        if second % 300 == 0:
            metric.touch(float(second))
        metric.add(float(second), 0.0)

    assert metric.datapoints(3600.0, 60) == [0.0] * 60


def test_its_memory_is_bounded():
    """A month of minutes keeps a day's worth of periods, however coarse the steps are."""
    metric = Published(delay=0, sleeps_after=None)
    for day in range(1, 31):
        metric.add(day * 86400.0, float(day), seconds=86400.0)

    assert len(metric._rows) == KEPT_PERIODS
    assert metric.datapoints(30 * 86400.0, 1441) == [29.0] + [30.0] * 1440
    assert shown(metric.datapoints(30 * 86400.0, KEPT_PERIODS + 1))[0] is None


@given(st.lists(st.tuples(st.floats(0.01, 200), st.floats(0, 100)), min_size=1, max_size=40))
def test_no_time_is_lost_and_none_is_counted_twice(parts):
    """However the truth is cut, the averages of whole minutes weigh what the truth weighed."""
    metric = Published(delay=0, sleeps_after=None)
    at = area = 0.0
    for seconds, value in parts:
        at += seconds
        area += seconds * value
        metric.add(at, value, seconds=seconds)
    end = math.ceil(at / 60.0) * 60.0
    metric.add(end, 0.0, seconds=end - at)

    averages = metric.datapoints(end, round(end / 60.0))
    assert 60.0 * sum(averages) == pytest.approx(area, rel=1e-6, abs=1e-6)
