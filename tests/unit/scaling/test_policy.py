"""iraas.scaling.policy: what a policy sees and remembers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scaling.seen import seen

from iraas.scaling import policy
from iraas.scaling.policy import Decision, History, keep


def test_starting_workers_are_capacity_and_held_jobs_are_backlog():
    """Whoever counts only what serves buys twice; whoever counts only what waits sees nothing while workers hold it."""
    look = seen(visible=3, in_flight=4.5, in_service=2, starting=5)
    assert (look.capacity, look.backlog) == (7, 7.5)
    assert keep(look, "why") == Decision(7, "why")


def test_a_mean_forgets_by_the_factor_e_in_its_memory():
    """Ten seconds after a change from 100 to 0, with ten seconds of memory, 100/e is left, however often one looked."""
    once, often = History(), History()
    for history in (once, often):
        assert history.mean("rate", 100.0, at=0.0, seconds=10.0) == 100.0
    for second in range(1, 11):
        last = often.mean("rate", 0.0, at=float(second), seconds=10.0)
    assert once.mean("rate", 0.0, at=10.0, seconds=10.0) == pytest.approx(100 / math.e)
    assert last == pytest.approx(100 / math.e)


def test_a_mean_survives_a_clock_that_jumps():
    """Back: the value counts for nothing, and time goes on from there. An hour forward: the old is forgotten."""
    history = History()
    history.mean("rate", 100.0, at=1000.0, seconds=10.0)
    assert history.mean("rate", 0.0, at=900.0, seconds=10.0) == 100.0
    assert history.mean("rate", 0.0, at=910.0, seconds=10.0) == pytest.approx(100 / math.e)
    assert history.mean("rate", 50.0, at=4510.0, seconds=10.0) == pytest.approx(50.0)


def test_a_window_holds_what_is_younger():
    """A value leaves when it is as old as the window is long."""
    history = History()
    for second, value in enumerate([5.0, 1.0, 2.0]):
        history.window("w", value, at=float(second), seconds=10.0)
    assert history.window("w", 0.0, at=9.0, seconds=10.0) == [5.0, 1.0, 2.0, 0.0]
    assert history.window("w", 0.0, at=10.0, seconds=10.0) == [1.0, 2.0, 0.0, 0.0]
    assert history.window("w", 7.0, at=3600.0, seconds=10.0) == [7.0]


def test_a_clock_that_goes_back_forgets_nothing_early_and_keeps_nothing_for_ever():
    """What was held is held for as long as if it had come now."""
    history = History()
    history.window("w", 5.0, at=1000.0, seconds=10.0)
    assert history.window("w", 1.0, at=500.0, seconds=10.0) == [5.0, 1.0]
    assert history.window("w", 2.0, at=509.0, seconds=10.0) == [5.0, 1.0, 2.0]
    assert history.window("w", 3.0, at=510.0, seconds=10.0) == [2.0, 3.0]


def test_names_and_parts_are_apart():
    """Two rules that use the same name in parts of a combination do not see each other's values."""
    history = History()
    history.part(0).window("w", 1.0, at=0.0, seconds=10.0)
    assert history.part(1).window("w", 2.0, at=0.0, seconds=10.0) == [2.0]
    assert history.part(0).window("w", 3.0, at=0.0, seconds=10.0) == [1.0, 3.0]
    assert history.window("w", 4.0, at=0.0, seconds=10.0) == [4.0]


def test_a_window_is_bounded_even_when_time_stands_still(monkeypatch):
    """The oldest goes: a million looks at one moment take no more room than the most that is kept."""
    monkeypatch.setattr(policy, "MOST_IN_WINDOW", 3)
    history = History()
    for number in range(10):
        window = history.window("w", float(number), at=0.0, seconds=10.0)
    assert window == [7.0, 8.0, 9.0]


@given(st.lists(st.tuples(st.floats(-1e3, 1e4), st.floats(0, 1e6)), max_size=60))
def test_a_mean_lies_between_what_was_given(steps):
    """Whatever the clock does."""
    history, values = History(), []
    for at, value in steps:
        values.append(value)
        mean = history.mean("m", value, at=at, seconds=10.0)
        assert min(values) - 1e-6 <= mean <= max(values) + 1e-6
