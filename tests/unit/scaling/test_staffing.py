"""iraas.scaling.policies.staffing: our own rule."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaling.seen import anything, seen

from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import History

EVERY = 5.0  # seconds


class Fleet:
    """Workers that do what the rule says at once."""

    def __init__(self, policy, *, service=0.1, in_service=0):
        self.policy, self.service, self.capacity = policy, service, in_service
        self.history, self.now = History(), 0.0

    def look(self, rate, *, seconds=EVERY, visible=0.0, in_flight=None, starting=0):
        """So many a second come for so long; what is wanted after the last look."""
        for _ in range(round(seconds / EVERY)):
            self.now += EVERY
            busy = rate * self.service if in_flight is None else in_flight
            look = seen(
                self.now,
                visible=visible,
                in_flight=busy,
                in_service=self.capacity - starting,
                starting=starting,
                arrivals=rate * EVERY,
                service=self.service,
            )
            self.said = self.policy.decide(look, self.history)
            self.capacity = self.said.capacity
        return self.capacity


def test_staffs_for_the_load():
    """80 a second of a tenth of a second are eight workers' load; nine serve 95 % of them within two seconds."""
    fleet = Fleet(Staffing())
    assert fleet.look(80.0) == 9
    assert fleet.said.reason == "added 9: 80 a second is 8 workers' load, which takes 9"
    assert fleet.look(80.0, seconds=600) == 9
    assert fleet.said.reason == "kept: 80 a second is 8 workers' load, which takes 9"


def test_an_empty_queue_is_no_reason_to_remove():
    """What keeps up with the load stays, however little waits."""
    assert Fleet(Staffing(), in_service=9).look(80.0, seconds=3600, visible=0.0) == 9


def test_a_backlog_takes_more_for_a_while():
    """2,000 pictures of a tenth of a second on nine workers that are busy with the load."""
    fleet = Fleet(Staffing(boot=60.0), in_service=9)
    fleet.look(80.0, seconds=300)
    wanted = fleet.look(80.0, visible=2000.0, in_flight=9.0)
    # 2,000 wait, 4,800 come until new ones are there, 5,400 are served; 1,400 are left, 140 s of work in 5 s.
    assert wanted == 9 + 28
    assert "; 2000 waiting take 28.0 more" in fleet.said.reason


def test_a_rise_is_met_where_it_goes():
    """While the load rises faster than chance, it is staffed as it will be when a new worker is there."""
    fleet = Fleet(Staffing(boot=60.0))
    for step in range(60):
        wanted = fleet.look(20.0 + 3 * step)
    # 197 a second now, and 0.6 a second more each second: 239 a minute and ten seconds later.
    assert 23.3 < wanted < 25


def test_chance_is_no_rise():
    """A load that goes up and down by its Poisson noise is not staffed for more than it is."""
    fleet = Fleet(Staffing(), in_service=9)
    wanted = [fleet.look(80.0 + (4.0 if step % 2 else -4.0)) for step in range(100)]
    assert set(wanted) == {8, 9}


@settings(max_examples=50, deadline=None)
@given(st.lists(anything, min_size=1, max_size=15))
def test_wants_a_worker_whenever_there_is_a_backlog(looks):
    """However few pictures come: nobody waits for ever."""
    history = History()
    for look in looks:
        decision = Staffing().decide(look, history)
        if look.backlog > 0 and not math.isnan(look.arrivals):
            assert decision.capacity >= 1


def test_goes_to_zero_when_nothing_comes():
    """Within its hold, and the time in which its averages forget the load."""
    fleet = Fleet(Staffing(hold=180.0))
    fleet.look(80.0, seconds=60)
    assert fleet.look(0.0, seconds=180) >= 1
    assert fleet.look(0.0, seconds=180 + 10 * math.log(80.0 * 180)) == 0


def test_one_picture_wakes_it():
    """Out of zero, as soon as it is seen."""
    assert Fleet(Staffing()).look(0.2, visible=1.0, in_flight=0.0) == 1
    forgotten = seen(5.0, visible=1.0, in_service=0, arrivals=0.0, service=0.01)
    assert Staffing().decide(forgotten, History()).capacity == 1, "though it came before anybody looked"


rates = st.lists(st.tuples(st.floats(0, 500), st.integers(1, 30)), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(rates, st.floats(5, 300), st.floats(0, 100))
def test_never_removes_what_it_wanted_within_its_hold(loads, hold, settle):
    """What the load took is kept for `hold` seconds, and whatever was wanted for those of `settle`."""
    fleet = Fleet(Staffing(hold=hold, settle=settle))
    added = []
    for rate, looks in loads:
        for _ in range(looks):
            fleet.look(rate)
            if fleet.said.reason.startswith("added"):
                added.append((fleet.now, fleet.capacity))
            assert all(fleet.capacity >= want for at, want in added if fleet.now - at < max(hold, settle))


def test_removes_nothing_while_something_starts_or_waits():
    """The load may have fallen; what is on its way, and what is behind, come first."""
    fleet = Fleet(Staffing(hold=10.0, settle=10.0), in_service=20)
    assert fleet.look(10.0, seconds=60, starting=1) == 20
    assert fleet.said.reason.endswith("but some are starting")
    assert fleet.look(10.0, seconds=60, visible=150.0) == 20
    assert fleet.said.reason.endswith("but there is a backlog")
    assert fleet.look(10.0, seconds=60) == 2


def test_uses_its_own_numbers_until_there_are_measured_ones():
    """Seconds a picture and seconds of a boot, as seen or as set."""
    policy = Staffing(service=0.1)
    look = seen(5.0, in_service=0, arrivals=400.0, in_flight=1.0)
    assert policy.decide(look, History()).capacity == 9
    assert policy.decide(look._replace(service=0.2), History()).capacity == 17
    assert policy.decide(look._replace(service=0.0), History()).capacity == 9
    late = seen(5.0, visible=500.0, in_service=9, arrivals=400.0, service=0.1)
    slow, quick = (policy.decide(late._replace(boot=boot), History()).capacity for boot in (1.0, 300.0))
    assert slow > quick, "what is there clears it in five minutes, and not in a second"


def test_a_counter_that_begins_anew_is_no_load():
    """Fewer arrivals than none."""
    assert Staffing().decide(seen(5.0, arrivals=-50.0, in_service=0), History()).capacity == 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"objective": 0.0}, "objective: 0 cannot be; give a number above 0"),
        ({"boot": math.nan}, "boot: nan"),
        ({"slow": math.inf}, "slow: inf"),
        ({"share": 1.0}, "share: 1 is a part of the pictures, between 0 and 1"),
        ({"hold": -1.0}, "hold: -1 is no time; give seconds, 0 or more"),
        ({"fast": 60.0}, "fast: 60 s must be shorter than slow, 45 s"),
    ],
)
def test_refuses_what_cannot_work(fields, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        Staffing(**fields)
