"""iraas.scaling.policies.tracking: target tracking, as AWS would run it."""

from __future__ import annotations

import pytest
from tests.unit.scaling.plans import tracking
from tests.unit.scaling.seen import seen

from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import History
from iraas.scaling.tracking import TargetTracking


def minutes(policy, history, *looks, begin=0):
    """A look a minute; the last decision."""
    for number, look in enumerate(looks, begin):
        decision = policy.decide(look._replace(time=60.0 * number), history)
    return decision


def test_awss_own_example():
    """1,500 messages, 10 instances, target 100: after three minutes above it, five more."""
    policy, history = tracking(target=100.0), History()
    busy = seen(visible=1500, in_service=10)

    assert minutes(policy, history, busy, busy).capacity == 10
    decision = minutes(policy, history, busy, begin=2)
    assert decision == (15, "added 5: visible per worker is 150, target 100")
    warming = busy._replace(starting=5)
    assert minutes(policy, history, warming, begin=3).capacity == 15, "what warms up was ordered for this"


def test_removes_after_fifteen_minutes_below():
    """And nothing while something warms up."""
    policy, history = tracking(target=100.0), History()
    idle = seen(visible=200, in_service=10)
    assert minutes(policy, history, *[idle] * 14).capacity == 10
    warming = policy.decide(idle._replace(time=60.0 * 14, starting=1), history)
    assert warming == (11, "1 still warming up: no scale-in meanwhile")
    assert minutes(policy, history, idle, begin=15) == (2, "removed 8: visible per worker is 20, target 100")


def test_one_minute_above_nine_tenths_begins_anew():
    """All fifteen must be below."""
    policy, history = tracking(target=100.0), History()
    idle, busier = seen(visible=200, in_service=10), seen(visible=920, in_service=10)
    assert minutes(policy, history, *[idle] * 7, busier, *[idle] * 14).capacity == 10


def test_out_of_zero():
    """Without workers the metric is what one would have to bear."""
    policy = tracking(target=100.0)
    empty = seen(visible=250, in_service=0)
    assert minutes(policy, History(), empty, empty, empty).capacity == 3


def test_a_pause_begins_anew():
    """Datapoints from before a jump of the clock count for nothing."""
    policy, history = tracking(target=100.0), History()
    busy = seen(visible=1500, in_service=10)
    minutes(policy, history, busy, busy)
    assert policy.decide(busy._replace(time=7200.0), history).capacity == 10


def test_tracks_the_processors():
    """Nine tenths in use on four workers, six tenths wanted: six workers. Without scale-in it only ever adds."""
    policy, history = tracking("cpu", 0.6, disable_in=True), History()
    hot = seen(in_service=4, cpu=0.9)
    assert minutes(policy, history, hot, hot, hot) == (6, "added 2: cpu is 0.9, target 0.6")
    cold = seen(in_service=6, cpu=0.01)
    assert minutes(policy, history, *[cold] * 30, begin=3).capacity == 6


@pytest.mark.parametrize("period", [0.0, -60.0, 15.0, 90.0])
def test_a_period_is_one_of_cloudwatchs(period):
    """10, 20, 30, or whole minutes."""
    with pytest.raises(ValueError, match=r"period: .* use 10, 20, 30 or a multiple of 60"):
        Tracking(metric="cpu", tracking=TargetTracking(target=0.5), period=period)
