"""iraas.scaling.tracking: target tracking, as we model it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.alarms import evaluate
from iraas.scaling.tracking import TargetTracking, backlog_target


def wanted(value, *, in_service=10, target=100.0, minimum=0, maximum=1000, **fields):
    return TargetTracking(target, **fields).wanted(
        value, in_service=in_service, minimum=minimum, maximum=maximum
    )


def test_awss_own_example():
    """1,500 messages on 10 instances, 0.1 s each, 10 s allowed: target 100, metric 150, five are added."""
    target = backlog_target(10.0, 0.1)
    assert target == pytest.approx(100.0)
    assert wanted(1500 / 10, target=target) == 15


def test_rounds_up_both_ways():
    """The page's example: 1.5 instances too few add two, 1.5 too many remove one."""
    assert wanted(65.0, in_service=5, target=50.0) == 7  # 6.5
    assert wanted(35.0, in_service=5, target=50.0) == 4  # 3.5


def test_a_last_bit_adds_no_instance():
    """3 x 0.1 is a little more than 0.3 in binary, and still one instance's worth of it."""
    assert wanted(0.1, in_service=3, target=0.3) == 1


def test_removes_gradually_if_told_to():
    """A share of what is too much goes at a time, one instance at least."""
    assert wanted(20.0, in_service=10) == 2
    assert wanted(20.0, in_service=10, in_share=0.5) == 6
    assert wanted(95.0, in_service=100, in_share=0.1) == 99


def test_never_removes_when_told_not_to():
    """With scale-in disabled the metric may be as low as it likes."""
    assert wanted(0.0, disable_in=True) == 10
    assert wanted(200.0, disable_in=True) == 20


def test_out_of_zero():
    """Without instances the metric is what one would have to bear."""
    assert wanted(250.0, in_service=0) == 3
    assert wanted(0.0, in_service=0) == 0


def test_what_is_not_known_changes_nothing():
    """A metric that stopped keeps the group; one that is infinite fills it."""
    assert wanted(math.nan) == 10
    assert wanted(math.inf, maximum=40) == 40


@given(
    st.floats(0, 1e9),
    st.integers(0, 500),
    st.integers(0, 50),
    st.integers(0, 50),
    st.floats(0.1, 1),
    st.booleans(),
)
def test_the_group_stays_within_its_bounds(value, in_service, minimum, more, share, disabled):
    """Whatever the metric says."""
    found = wanted(
        value,
        in_service=in_service,
        minimum=minimum,
        maximum=minimum + more,
        in_share=share,
        disable_in=disabled,
    )
    assert minimum <= found <= minimum + more


def test_its_alarms_are_quick_out_and_slow_in():
    """Three minutes above the target add, fifteen under nine tenths of it remove, missing data removes nothing."""
    more, less = TargetTracking(100.0).alarms("backlog")

    assert evaluate(more, [101.0] * 3, "OK") == "ALARM"
    assert evaluate(more, [100.0, 101.0, 101.0], "OK") == "OK"
    assert evaluate(less, [89.0] * 15, "OK") == "ALARM"
    assert evaluate(less, [*[89.0] * 14, 91.0], "OK") == "OK"
    assert evaluate(less, [math.nan] * 17, "OK") == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"target": 0.0}, "target: 0 cannot be held"),
        ({"target": math.nan}, "target: nan"),
        ({"warmup": -1.0}, "warmup: -1 s"),
        ({"out_datapoints": 0}, "out_datapoints: 0"),
        ({"in_datapoints": 0}, "in_datapoints: 0"),
        ({"in_below": 1.1}, r"in_below: 1\.1"),
        ({"in_share": 0.0}, "in_share: 0"),
    ],
)
def test_refuses_what_cannot_work(fields, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        TargetTracking(**{"target": 1.0, **fields})


@pytest.mark.parametrize(
    ("wait", "seconds", "says"), [(0.0, 0.1, "acceptable_wait"), (2.0, 0.0, "seconds_per_picture")]
)
def test_a_recipe_needs_both_times(wait, seconds, says):
    """Neither a wait of nothing nor a picture that takes no time makes a target."""
    with pytest.raises(ValueError, match=says):
        backlog_target(wait, seconds)
