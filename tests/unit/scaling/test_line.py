"""What `Line` promises, held by both ways to simulate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iraas.scaling.exact import ExactLine
from iraas.scaling.service import Service
from iraas.scaling.steps import StepLine
from iraas.scaling.workloads import Burst, shape

SERVICES = (
    Service(seconds=0.5),
    Service(seconds=3.0),
    Service(seconds=1.0, distribution="exponential"),
    Service(seconds=0.7, receive=8, batch=3),
)
changes = st.sampled_from(["add", "remove idle", "remove", "kill", "nothing"])
moves = st.lists(st.tuples(st.floats(0, 20), changes, st.integers(0, 4)), max_size=20)
AFTERWARDS = [(1.0, "add", 3), *[(20.0, "nothing", 0)] * 40]


def made(kind, service, seed):
    """A line of a kind, half of the time with clients who give up."""
    rng = np.random.default_rng(seed)
    patience = 7.0 if seed % 2 else float("inf")
    work = shape("steady", rate=2.0, duration=60.0)
    if kind == "steps":
        return StepLine(work, service, rng, step=1.0)
    if kind == "burst":
        return ExactLine(Burst(5, 60), service, rng, kills=True, patience=patience)
    return ExactLine(work, service, rng, kills=kind == "killed")


def change(line, what, count):
    if what == "add":
        line.add(count)
    elif what == "kill":
        for _ in range(count):
            line.kill()
    elif what != "nothing":
        line.remove(count, busy=what == "remove")


@settings(max_examples=60, deadline=None)
@given(
    moves,
    st.integers(0, 99),
    st.sampled_from(SERVICES),
    st.sampled_from(["exact", "killed", "steps", "burst"]),
)
def test_nothing_is_lost_and_nothing_comes_from_nowhere(steps, seed, service, kind):
    """Promise 4, at every look; in the end all is answered, and nobody was begun before he came."""
    line = made(kind, service, seed)
    now = came = answered = 0.0
    for seconds, what, count in steps + AFTERWARDS:
        now += seconds
        line.advance(now)
        if what != "kill" or kind != "exact":
            change(line, what, count)
        look, again = line.look(), line.look()  # the second tells how many are in flight at this moment
        came += look.arrivals
        answered += look.answers
        assert min(*look, *again) > -1e-6
        assert again.arrivals == 0
        assert came - answered == pytest.approx(again.visible + again.in_flight, abs=1e-6)
        assert came == pytest.approx(line.came)
        if kind == "burst" and not seed % 2:
            assert came - answered <= 5
    born, wait, latency, weight = line.outcome()
    assert line.done
    assert weight.sum() == pytest.approx(came)
    assert came == 60 or kind != "burst"
    assert (born >= 0).all()
    assert (wait >= 0).all()
    assert (latency >= wait).all()


later = st.lists(st.tuples(st.floats(0.01, 20), changes, st.integers(0, 4)), max_size=20)
growing = st.lists(st.tuples(st.floats(0.1, 20), st.integers(0, 2)), max_size=20)


@settings(max_examples=50, deadline=None)
@given(growing, st.integers(0, 99), st.sampled_from(SERVICES), st.sampled_from(["exact", "killed", "steps"]))
def test_never_more_are_at_work_than_there_are_workers(steps, seed, service, kind):
    """Nor do these hold more than they may receive."""
    line = made(kind, service, seed)
    now, workers = 0.0, 0
    for seconds, more in steps:
        now += seconds
        line.advance(now)
        look = line.look()
        assert look.busy <= workers + 1e-9
        assert look.in_flight <= workers * service.receive + 1e-9
        assert 0 <= line.idle <= workers
        line.add(more)
        workers += more


@settings(max_examples=50, deadline=None)
@given(later, st.integers(0, 99), st.sampled_from(["exact", "steps"]))
def test_a_spared_worker_is_a_busy_one(steps, seed, kind):
    """None of those that hold something goes, unless busy ones may; who goes is gone at once, or when it is done."""
    line = made(kind, SERVICES[1], seed)
    now, workers = 0.0, 0
    for seconds, what, count in steps:
        now += seconds
        line.advance(now)
        if what == "add":
            line.add(count)
            workers += count
        else:
            idle = line.idle
            gone = line.remove(count, busy=what == "remove")
            assert len(gone) == min(count, workers if what == "remove" else idle)
            assert all(now <= at <= now + 3.0 + 1e-9 for at in gone)
            assert sum(at == now for at in gone) >= min(idle, len(gone))
            workers -= len(gone)
