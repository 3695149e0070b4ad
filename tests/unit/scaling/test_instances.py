"""iraas.scaling.instances: what boots, serves, fails, is interrupted and ends, and what it costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.group import Group
from iraas.scaling.instances import HOUR, Boot, Event, Spot


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def group(rng, boot=None, **fields):
    return Group(boot or Boot(boot=60.0), rng, **fields)


def serving(rng, count, **fields):
    """A group with `count` instances in service since long, numbered from zero."""
    made = group(rng, **fields)
    made.launch(0.0, count, ready=True)
    return made


def test_a_boot_is_the_sum_of_its_parts(rng):
    """API, EC2's pending, operating system and application follow one another."""
    boot = Boot(api=2.0, pending=8.0, boot=40.0, start=10.0)
    assert boot.seconds == 60.0
    assert boot.draw(rng) == (60.0, False)


def test_boots_come_from_the_users_own_measurements(rng):
    """Each measured time comes up, and nothing else does; the mean is theirs."""
    boot = Boot(boot=1.0, spread=(50.0, 60.0, 100.0))
    drawn = [boot.draw(rng)[0] for _ in range(300)]

    assert set(drawn) == {50.0, 60.0, 100.0}
    assert boot.seconds == 70.0
    assert np.mean(drawn) == pytest.approx(70.0, rel=0.1)


def test_a_share_of_launches_fails(rng):
    """With one in four failing, about one in four fails."""
    boot = Boot(failure=0.25)
    assert np.mean([boot.draw(rng)[1] for _ in range(4000)]) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Boot(api=-1.0), "api: -1"),
        (lambda: Boot(boot=math.inf), "boot: inf"),
        (lambda: Boot(spread=(60.0, math.nan)), "spread: nan"),
        (lambda: Boot(failure=1.0), "failure: 1 .*less than 1"),
        (lambda: Spot(-0.1), r"interruptions: -0\.1"),
        (lambda: Spot(0.1, notice=math.inf), "notice: inf"),
    ],
)
def test_refuses_what_cannot_be(make, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        make()


def test_interruptions_come_as_often_as_told(rng):
    """One in ten instance-hours means ten hours between them on average; none means never."""
    spot = Spot(0.1)
    assert np.mean([spot.next(rng) for _ in range(4000)]) == pytest.approx(10 * HOUR, rel=0.06)
    assert Spot(0.0).next(rng) == math.inf


def test_what_is_launched_comes_into_service_after_its_boot(rng):
    """Until then it is pending and counts; the next event says when."""
    fleet = group(rng)
    fleet.set(100.0, 2)

    assert (fleet.pending, fleet.in_service, fleet.capacity, fleet.next) == (2, 0, 2, 160.0)
    assert fleet.due(159.9) == []
    assert fleet.due(160.0) == [Event(160.0, 0, "in service"), Event(160.0, 1, "in service")]
    assert (fleet.pending, fleet.in_service, fleet.capacity, fleet.next) == (0, 2, 2, math.inf)


def test_setting_the_same_again_changes_nothing(rng):
    """What boots counts, so that a policy that repeats itself buys once."""
    fleet = group(rng)
    fleet.set(0.0, 3)
    assert fleet.set(5.0, 3) == []
    assert fleet.capacity == 3


def test_warming_instances_are_those_that_boot_and_the_young(rng):
    """Warm-up begins when an instance is in service; what the simulation started with is warm."""
    fleet = serving(rng, 2)
    fleet.set(0.0, 3)
    assert fleet.warming(59.0, 100.0) == 1
    fleet.due(60.0)
    assert fleet.warming(60.0, 0.0) == 0
    assert fleet.warming(159.0, 100.0) == 1
    assert fleet.warming(160.0, 100.0) == 0


def test_a_failed_launch_is_tried_again(rng):
    """What is wanted comes in the end, and each attempt takes its time."""
    fleet = group(rng, Boot(boot=60.0, failure=0.96))
    fleet.set(0.0, 1)
    events = fleet.due(100_000.0)

    assert [event.change for event in events] == ["failed"] * (len(events) - 1) + ["in service"]
    assert [event.at for event in events] == [60.0 * (place + 1) for place in range(len(events))]
    assert len(events) > 1
    assert (fleet.in_service, fleet.pending) == (1, 0)


def test_a_failed_launch_that_nobody_wants_any_more_is_not(rng):
    """Without want there is no replacement."""
    fleet = group(rng, Boot(boot=60.0, failure=0.999))
    fleet.set(0.0, 1)
    fleet.wanted = 0
    assert fleet.due(100_000.0) == [Event(60.0, 0, "failed")]
    assert fleet.capacity == 0


def test_scale_in_takes_idle_ones_only(rng):
    """Protected instances are not taken: the rest goes when the policy says so again."""
    fleet = serving(rng, 4)

    assert fleet.set(10.0, 1, busy={0, 2, 3}) == [1]
    assert fleet.set(20.0, 1, busy={3}) == [0, 2]
    assert fleet.capacity == 1


def test_scale_in_knows_how_many_are_busy(rng):
    """Where nobody knows who is busy, their number is enough."""
    fleet = serving(rng, 4)
    assert len(fleet.set(10.0, 0, busy=3)) == 1
    assert fleet.set(20.0, 0, busy=3) == []


def test_scale_in_without_protection_takes_busy_ones(rng):
    """Auto Scaling by itself does not know who is busy: the oldest go."""
    fleet = serving(rng, 4, protect_busy=False)
    assert fleet.set(10.0, 2, busy={0, 1, 2, 3}) == [0, 1]


def test_what_boots_goes_after_what_is_idle(rng):
    """And the youngest of it first; an instance that was cancelled never comes."""
    fleet = serving(rng, 2)
    fleet.set(0.0, 5)
    assert fleet.set(10.0, 2, busy={0}) == [1, 4, 3]
    assert fleet.due(60.0) == [Event(60.0, 2, "in service")]
    assert fleet.capacity == 2


def test_a_hook_gives_time_to_drain(rng):
    """A terminating instance no longer counts, is there until it has drained, and not longer than its hook."""
    fleet = serving(rng, 3, hook=100.0, protect_busy=False)
    fleet.set(0.0, 1)
    assert (fleet.capacity, fleet.terminating) == (1, 2)

    fleet.drained(30.0, 0)
    assert fleet.terminating == 1
    assert fleet.due(200.0) == [Event(100.0, 1, "ended")]
    assert fleet.terminating == 0
    fleet.drained(200.0, 2)
    assert fleet.in_service == 1, "what does not terminate does not drain"


def test_a_spot_instance_is_noticed_then_interrupted_then_replaced(rng):
    """Two minutes lie between notice and end; until then it counts, and then another is launched."""
    fleet = group(rng, spot=Spot(1.0))
    fleet.launch(0.0, ready=True)
    at = fleet.next

    assert fleet.due(at) == [Event(at, 0, "noticed")]
    assert (fleet.in_service, fleet.noticed, fleet.capacity) == (0, 1, 1)
    assert fleet.set(at, 0) == [], "it goes by itself"
    fleet.set(at, 1)
    assert fleet.due(at + 120.0) == [Event(at + 120.0, 0, "interrupted")]
    assert (fleet.pending, fleet.noticed, fleet.capacity) == (1, 0, 1)


def test_a_notice_during_the_boot_keeps_it_out_of_service(rng):
    """An instance that is to go takes no work first."""
    fleet = group(rng, spot=Spot(1e9))
    fleet.launch(0.0)
    assert [event.change for event in fleet.due(100.0)] == ["noticed"]
    assert (fleet.pending, fleet.in_service, fleet.noticed) == (0, 0, 1)


def test_a_second_is_billed_once(rng):
    """From running, not from the request, until the end, and at least a minute of it."""
    fleet = group(rng, Boot(api=2.0, pending=8.0, boot=50.0))
    fleet.set(0.0, 2)
    assert fleet.billed(10.0) == 0.0
    assert fleet.billed(11.0) == 120.0
    fleet.due(60.0)
    assert fleet.billed(210.0) == 400.0
    fleet.set(210.0, 1)
    assert fleet.billed(310.0) == 500.0


def test_a_short_life_costs_a_minute_and_a_cancelled_request_nothing(rng):
    """EC2 bills 60 seconds at least, and nothing before an instance runs; the least is a parameter."""
    for at, expected in ((5.0, 0.0), (30.0, 60.0)):
        fleet = group(rng, Boot(pending=10.0, boot=60.0))
        fleet.set(0.0, 1)
        fleet.set(at, 0)
        assert fleet.billed(1000.0) == expected
    fleet = group(rng, billed_at_least=0.0)
    fleet.set(0.0, 1)
    fleet.set(30.0, 0)
    assert fleet.billed(1000.0) == 30.0


steps = st.lists(st.tuples(st.floats(0, 300), st.integers(0, 6), st.integers(0, 6)), max_size=30)


@given(steps, st.integers(0, 2**32), st.booleans(), st.sampled_from([0.0, 50.0]))
def test_the_books_agree_whatever_happens(moves, seed, protect, hook):
    """Counts are those of the instances, nothing is launched beyond what is wanted, and the bill only grows."""
    boot = Boot(pending=5.0, spread=(0.0, 20.0, 70.0), failure=0.3)
    fleet = Group(boot, np.random.default_rng(seed), spot=Spot(20.0), hook=hook, protect_busy=protect)
    now = paid = 0.0
    for seconds, wanted, busy in moves:
        now += seconds
        before = fleet.next
        events = fleet.due(now)
        assert events == sorted(events, key=lambda event: event.at)
        assert all(before <= event.at <= now for event in events)
        fleet.set(now, wanted, busy)
        for state in ("pending", "in service", "noticed", "terminating"):
            assert getattr(fleet, state.replace(" ", "_")) == len(fleet.instances(state)) >= 0
        assert fleet.capacity >= wanted
        if not protect:
            assert fleet.capacity <= wanted + fleet.noticed
        assert fleet.billed(now) >= paid - 1e-6  # sums in another order
        paid = fleet.billed(now)
