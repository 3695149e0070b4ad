"""iraas.scaling.policies.combined: several rules at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaling.plans import simple_alarms, step_alarms, tracking
from tests.unit.scaling.seen import anything, seen

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
    """Its name is theirs, and CloudWatch can run it when it can run all of them."""
    ours = Combined(parts=(Staffing(), WorkerPerMessage()))
    assert ours.title == "staffing for the load (ours) + one worker a message"
    assert not ours.deployable
    alarms = Combined(parts=(step_alarms(), simple_alarms(), tracking()))
    assert alarms.deployable
    assert alarms.every == 60.0


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
