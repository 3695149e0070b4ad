"""iraas.scaling.policies.combined: several rules at once."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaling.plans import simple_alarms, step_alarms, tracking
from tests.unit.scaling.seen import anything, seen

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import History


def test_the_largest_adds_and_the_least_eager_removes():
    """One may add alone; none may remove against another. The reason is the winner's."""
    both = Combined(parts=(JobsPerWorker(target=10.0, hold=0.0), JobsPerWorker(target=5.0, hold=0.0)))
    history = History()

    decision = both.decide(seen(0.0, visible=40, in_service=2), history)
    assert decision.capacity == 8
    assert decision.reason.endswith("target 5")
    assert both.decide(seen(5.0, visible=10, in_service=8), history).capacity == 2


def test_says_what_its_parts_are():
    """Its name is theirs, and it decides as often as they do."""
    ours = Combined(parts=(Staffing(), WorkerPerMessage()))
    assert ours.title == "staffing for the load (ours) + one worker a message"
    assert ours.every == 5.0
    assert Combined(parts=(step_alarms(), simple_alarms(), tracking())).every == 60.0


_fifteen = {"periods": 15, "missing": "notBreaching"}
_two_of_three = msgspec.structs.replace(
    step_alarms(), in_when=Alarm("visible", 10.0, "<", datapoints=2, evaluation_periods=3)
)
_two_less = msgspec.structs.replace(step_alarms(**_fifteen), back=StepScaling(steps=(Step(None, 0, -2),)))


@pytest.mark.parametrize(
    ("parts", "deployable"),
    [
        ((step_alarms(), step_alarms("responses")), True),
        ((tracking(), tracking("cpu", 0.5)), True),
        ((tracking(), step_alarms(**_fifteen)), True),
        ((tracking(disable_in=True), step_alarms(periods=3)), True),  # nobody ever removes
        ((Staffing(), WorkerPerMessage()), False),
        ((step_alarms(), simple_alarms()), False),  # no alarm sees a cooldown
        ((tracking(), step_alarms()), False),  # 15 minutes, and one
        ((step_alarms(), step_alarms("responses", periods=2)), False),
        ((step_alarms(), step_alarms("responses", missing="breaching")), False),
        ((step_alarms(period=300.0), step_alarms("responses")), False),
        ((step_alarms(period=10.0), step_alarms("responses", period=10.0)), False),
        ((_two_of_three, _two_of_three), False),
        ((tracking(), _two_less), False),
        ((tracking(), step_alarms(periods=15)), False),  # target tracking wants to have seen all fifteen
    ],
)
def test_cloudwatch_can_run_it_where_its_parts_can_wait_for_one_another(parts, deployable):
    """On the way in, an alarm must see that all others are calm: they look at the same minutes, and have no memory."""
    assert Combined(parts=parts).deployable is deployable


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((Staffing(),), "parts: a combination needs two policies or more, and has 1"),
        ((), "and has 0"),
        ((step_alarms(), Staffing()), "parts: all must decide equally often"),
    ],
)
def test_refuses_what_is_none(parts, says):
    """A single rule, and rules that do not look at the same times."""
    with pytest.raises(ValueError, match=says):
        Combined(parts=parts)


@settings(max_examples=50, deadline=None)
@given(st.lists(anything, max_size=10))
def test_wants_what_the_most_demanding_part_wants(looks):
    """At every look, each part with a memory of its own."""
    parts = (Staffing(), JobsPerWorker(), SpareCapacity())
    together, history = Combined(parts=parts), History()
    alone = [History() for _ in parts]
    for look in looks:
        each = [part.decide(look, memory).capacity for part, memory in zip(parts, alone, strict=True)]
        assert together.decide(look, history).capacity == max(each)
