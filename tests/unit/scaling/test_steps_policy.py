"""iraas.scaling.policies.steps: two alarms and what they do."""

from __future__ import annotations

import math

import pytest
from tests.unit.scaling.plans import simple_alarms, step_alarms
from tests.unit.scaling.seen import seen

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policy import History


def play(policy, history, looks, *, every=60.0, begin=0):
    """A look each period: what it wants each time."""
    return [
        policy.decide(look._replace(time=every * number), history).capacity
        for number, look in enumerate(looks, begin)
    ]


def test_a_higher_step_adds_more():
    """One above the threshold, three at twice that; in between nothing; one less below the lower threshold."""
    for visible, capacity in ((99, 5), (100, 6), (199, 6), (200, 8), (9000, 8), (10, 5), (9, 4)):
        assert play(step_alarms(), History(), [seen(visible=visible, in_service=5)]) == [capacity]


def test_says_what_it_did():
    """What was seen, what it was compared with, what came of it."""
    decide = step_alarms().decide
    assert decide(seen(visible=230, in_service=5), History()).reason == "added 3: 230 waiting is >= 100"
    assert decide(seen(visible=2, in_service=5), History()).reason == "removed 1: 2 waiting is < 10"
    assert decide(seen(visible=50, in_service=5), History()).reason == "no alarm: 50 waiting"


def test_warming_workers_are_not_current_capacity():
    """AWS: while the first step's worker warms up, the same step adds nothing, and a higher one the difference."""
    policy, history = step_alarms(), History()
    low, high = seen(visible=150, in_service=5), seen(visible=250, in_service=5, starting=1)
    assert play(policy, history, [low, low._replace(starting=1), high]) == [6, 6, 8]


def test_awss_example_of_percentages():
    """30 % of 10 with one more warming is 13: two more. 10 % of 10 adds one."""
    alarm = {"period": 60.0}
    policy = StepAlarms(
        out_when=Alarm("cpu", 0.6, ">=", **alarm),
        in_when=Alarm("cpu", 0.4, "<=", **alarm),
        out=StepScaling(steps=(Step(0, 0.1, 10), Step(0.1, None, 30)), adjustment="PercentChangeInCapacity"),
        back=StepScaling(steps=(Step(None, 0, -10),), adjustment="PercentChangeInCapacity"),
    )
    assert play(
        policy, History(), [seen(cpu=0.6, in_service=10), seen(cpu=0.75, in_service=10, starting=1)]
    ) == [11, 13]


def test_terminating_workers_are_current_capacity_on_the_way_in():
    """AWS: so that no more go than were meant to. A tenth of ten is one, also while that one ends what it holds."""
    alarm = {"period": 60.0}
    policy = StepAlarms(
        out_when=Alarm("visible", 100, ">=", **alarm),
        in_when=Alarm("visible", 10, "<", **alarm),
        out=StepScaling(steps=(Step(0, None, 1),)),
        back=StepScaling(steps=(Step(None, 0, -10),), adjustment="PercentChangeInCapacity"),
    )
    looks = [seen(in_service=10), seen(in_service=9, terminating=1), seen(in_service=9)]
    assert play(policy, History(), looks) == [9, 9, 8]


def test_no_scale_in_while_something_warms_up():
    """AWS's rule."""
    decision = step_alarms().decide(seen(visible=0, in_service=3, starting=1), History())
    assert decision == (4, "1 still warming up: no scale-in meanwhile")


def test_acts_again_once_a_minute():
    """Also an alarm on ten seconds, which is evaluated six times in that minute; and a look a hair early is in time."""
    policy, history = step_alarms(period=10.0), History()
    assert policy.every == 10.0
    busy = seen(visible=150, in_service=5)
    assert play(policy, history, [busy] * 14, every=9.999) == [6, 5, 5, 5, 5, 5, 6, 5, 5, 5, 5, 5, 6, 5]


def test_acts_at_every_minute_where_it_looks_once_a_minute():
    """Though one look is a hair early and the next a hair late."""
    policy, history = step_alarms(), History()
    busy = seen(visible=150, in_service=5)
    wants = [policy.decide(busy._replace(time=at), history).capacity for at in (0.0, 59.98, 120.0, 179.99)]
    assert wants == [6, 6, 6, 6]


def test_acts_at_once_after_it_was_quiet():
    """A new alarm does not wait for the minute of the last one."""
    policy, history = step_alarms(period=10.0), History()
    busy, quiet = seen(visible=150, in_service=5), seen(visible=50, in_service=5)
    assert play(policy, history, [busy, quiet, busy], every=10.0) == [6, 5, 6]


def test_several_periods_must_breach():
    """Three of three; an alarm that has seen less is not one yet."""
    policy, history = step_alarms(periods=3), History()
    busy = seen(visible=150, in_service=5)
    assert play(policy, history, [busy] * 4) == [5, 5, 6, 6]


def test_a_long_period_is_looked_at_each_minute():
    """Five minutes' average: one minute of 600 among four of nothing is 120, and breaches 100."""
    policy, history = step_alarms(period=300.0), History()
    assert policy.every == 60.0
    calm, rush = seen(visible=20, in_service=5), seen(visible=520, in_service=5)
    assert play(policy, history, [calm, calm, calm, calm, rush]) == [5, 5, 5, 5, 6]
    assert play(policy, History(), [calm] * 30 + [rush._replace(visible=400)]) == [5] * 31


def test_a_pause_is_missing_data():
    """Datapoints that are older than an alarm looks back are gone."""
    policy, history = step_alarms(periods=2), History()
    busy = seen(visible=150, in_service=5)
    play(policy, history, [busy])
    assert policy.decide(busy._replace(time=7200.0), history).capacity == 5


def test_a_gap_does_not_hide_how_far_it_went():
    """AWS takes the most recent datapoint, and a gap is none: 250 is three more, also a minute later."""
    policy, history = step_alarms(), History()
    busy, gap = seen(visible=250, in_service=5), seen(visible=math.nan, in_service=5)
    assert play(policy, history, [busy, gap]) == [8, 8]


def test_simple_scaling_cools_down():
    """Two more, and then nothing for five minutes, in neither direction."""
    policy, history = simple_alarms(), History()
    busy, calm = seen(visible=150, in_service=5), seen(visible=0, in_service=7)
    assert play(policy, history, [busy, calm, calm, calm, calm]) == [7, 7, 7, 7, 7]
    assert play(policy, history, [calm], begin=5) == [6]
    assert policy.decide(busy._replace(time=310.0), history).reason == "cooling down since the last change"


def test_a_clock_that_goes_back_ends_the_cooldown():
    """Else it would last until the clock has caught up."""
    policy, history = simple_alarms(), History()
    busy = seen(visible=150, in_service=5)
    policy.decide(busy._replace(time=1e6), history)
    assert policy.decide(busy._replace(time=0.0), history).capacity == 7


@pytest.mark.parametrize(
    ("out", "back", "says"),
    [
        (("visible", 100, ">"), ("cpu", 0.1, "<"), "both must watch the same"),
        (("size", 100, ">"), ("size", 1, "<"), "one of visible, in_flight"),
        (("visible", 100, "<"), ("visible", 1, "<"), "out_when: its comparison must be > or >="),
        (("visible", 100, ">"), ("visible", 1, ">"), "in_when: its comparison must be < or <="),
        (
            ("visible", 100, ">"),
            ("visible", 101, "<"),
            "in_when: its threshold 101 lies above the 100 of out_when",
        ),
        (
            ("visible", 100, ">"),
            ("visible", 1, "<", "Maximum"),
            "in_when: its statistic is Maximum; give Average",
        ),
        (
            ("visible", 100, ">"),
            ("visible", 1, "<", "Average", 10.0),
            "in_when: its period must be that of out_when",
        ),
    ],
)
def test_refuses_what_would_flap(out, back, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        SimpleAlarms(
            out_when=Alarm(*out),
            in_when=Alarm(*back),
            out=SimpleScaling(change=1),
            back=SimpleScaling(change=-1),
        )
