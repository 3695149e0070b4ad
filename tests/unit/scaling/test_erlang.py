"""iraas.scaling.erlang: the chance to wait."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.queueing import delay_probability

from iraas.scaling import erlang
from iraas.scaling.erlang import waits, waits_longer, workers_for


@pytest.mark.parametrize(("workers", "load"), [(1, 0.5), (2, 1.0), (10, 8.0), (55, 50.0), (210, 199.0)])
def test_is_erlangs_c_formula(workers, load):
    """The recursion gives what the sum gives; with one worker it is the load, with two at half load a third."""
    assert waits(workers, load) == pytest.approx(delay_probability(workers, load / workers), rel=1e-9)
    assert waits(1, 0.5) == pytest.approx(0.5)
    assert waits(2, 1.0) == pytest.approx(1 / 3)


@pytest.mark.parametrize("more", [2, 10, 30, 60])
def test_the_limit_for_large_loads_is_close(more):
    """At the load where it takes over, Halfin and Whitt's limit is within a hundredth of the formula."""
    load = erlang.EXACT_BELOW
    exact = delay_probability(int(load) + more, load / (load + more))
    assert waits(int(load) + more, load) == pytest.approx(exact, abs=0.01)


def test_the_ends():
    """Nobody waits when nothing comes; all do when more comes than can be served."""
    assert waits(5, 0.0) == waits(0, 0.0) == 0.0
    assert waits(5, 5.0) == waits(0, 0.1) == 1.0
    assert waits_longer(5, 5.0, 100.0, 0.1) == 1.0


def test_a_longer_wait_is_rarer():
    """In M/M/1 at half load, half of the pictures wait at all, and 1/e of these longer than two service times."""
    assert waits_longer(1, 0.5, 0.2, 0.1) == pytest.approx(0.5 / math.e)


@given(st.floats(0.001, 5000), st.floats(0.01, 100), st.floats(0.001, 10), st.floats(0.001, 0.9))
def test_are_the_fewest_that_do(load, seconds, service, share):
    """One worker less would let more of the pictures wait too long."""
    found = workers_for(load, seconds=seconds, service=service, share=share)
    assert waits_longer(found, load, seconds, service) <= share
    assert found - 1 <= load or waits_longer(found - 1, load, seconds, service) > share
