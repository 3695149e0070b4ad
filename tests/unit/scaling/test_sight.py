"""iraas.scaling.sight: what a policy can see of the truth."""

from __future__ import annotations

import math

import pytest
from tests.unit.scaling.plans import step_alarms

from iraas.scaling.line import Look
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.sight import ByCloudWatch, Direct, Moment


def moment(time, *, seconds=5.0, visible=0.0, in_flight=0.0, busy=0.0, in_service=4, **fields):
    look = Look(visible, in_flight, oldest_age=1.5, arrivals=50.0, answers=40.0, busy=busy)
    return Moment(time, seconds, look, in_service, 2, 7.0, 0.1, **fields)


def test_our_controller_sees_what_is_there():
    """Everything, at once; of the processors what workers at work use, however many pictures they hold."""
    sight = Direct(Staffing())
    now = moment(60.0, visible=9, in_flight=16, busy=2.0, terminating=1)
    sight.note(now)
    seen = sight.observe(now)
    assert (seen.time, seen.period, seen.visible, seen.in_flight) == (60.0, 5.0, 9, 16)
    assert (seen.in_service, seen.starting, seen.terminating) == (4, 2, 1)
    assert (seen.arrivals, seen.answers, seen.oldest_age, seen.responses) == (50.0, 40.0, 1.5, 7.0)
    assert (seen.cpu, seen.service) == (0.5, 0.1)


def test_nobody_knows_the_processors_of_no_worker():
    """And a worker that goes while it is at work does not make them more than whole."""
    sight = Direct(Staffing())
    assert math.isnan(sight.observe(moment(5.0, in_service=0)).cpu)
    assert sight.observe(moment(5.0, in_service=1, busy=3.0)).cpu == 1.0


def test_cloudwatch_shows_averages_of_minutes_that_are_over_and_late():
    """A minute with 120 in its second half is 60, and is not seen before its minute of delay is over."""
    sight = ByCloudWatch(step_alarms(), delay=60.0)
    assert sight.every == 5.0
    seen = {}
    for number in range(1, 37):
        at = 5.0 * number
        now = moment(at, visible=120.0 if 30 < at <= 60 else 0.0, in_service=3)
        sight.note(now)
        seen[at] = sight.observe(now)
    assert math.isnan(seen[115.0].visible)
    assert seen[120.0].visible == seen[175.0].visible == pytest.approx(60.0)
    assert seen[180.0].visible == 0.0
    assert seen[60.0].in_service == 3, "what Auto Scaling knows itself is fresh"
    assert seen[120.0].period == 60.0
    assert math.isnan(seen[120.0].arrivals)
