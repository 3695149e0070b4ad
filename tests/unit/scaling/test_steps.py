"""iraas.scaling.steps: the queue as a fluid."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.scaling.replay import Replay

from iraas.scaling.service import Service
from iraas.scaling.steps import StepLine

TENTH = Service(seconds=0.1)


def line(a_second, service=TENTH, *, workers, **fields):
    """So many pictures in each second, spread evenly."""
    times = [
        second + (place + 0.5) / count for second, count in enumerate(a_second) for place in range(count)
    ]
    made = StepLine(Replay(times, len(a_second)), service, np.random.default_rng(1), step=1.0, **fields)
    made.add(workers)
    return made


def test_enough_workers_leave_no_queue():
    """A hundred a second are ten workers' load."""
    made = line([100] * 20, workers=12)
    made.advance(10.0)
    made.look()
    made.advance(20.0)
    look = made.look()
    assert (look.visible, look.arrivals, look.oldest_age) == (0.0, 1000.0, 0.0)
    assert look.in_flight == look.busy == pytest.approx(10.0)
    assert look.answers == pytest.approx(1000.0)
    made.advance(30.0)
    assert made.done
    assert made.outcome().wait.max() == 0.0
    assert set(made.outcome().latency) == {0.1}


def test_too_few_workers_leave_the_rest_waiting():
    """Of a hundred a second five workers take fifty: after ten seconds 500 wait, the oldest for five seconds."""
    made = line([100] * 10 + [0] * 20, workers=5)
    made.advance(10.0)
    look = made.look()
    assert look.visible == pytest.approx(500.0, abs=6)
    assert look.busy == pytest.approx(5.0)
    assert look.oldest_age == pytest.approx(5.0, abs=1.0)
    made.advance(30.0)
    outcome = made.outcome()
    assert outcome.weight.sum() == pytest.approx(1000.0)
    assert outcome.wait.max() == pytest.approx(10.0, abs=0.2), (
        "the last waits until the others' 100 s are worked off"
    )
    assert np.average(outcome.wait, weights=outcome.weight) == pytest.approx(5.0, abs=0.2)


def test_a_pause_delays_nobody():
    """What came before the pause was begun before it; what comes after, after it."""
    made = line([50, 0, 0, 0, 50, 0], workers=10)
    made.advance(10.0)
    assert made.outcome().wait.max() == 0.0


def test_nothing_happens_without_workers():
    """All wait until one comes."""
    made = line([10, 0, 0, 0, 0, 0, 0, 0], workers=0)
    made.advance(5.0)
    assert made.look().visible == 10.0
    made.add(10)
    made.advance(8.0)
    assert made.outcome().wait.min() > 4.0


def test_workers_hold_more_than_they_work_on():
    """While there is a queue each holds what it received: from eight down to four, six on the average."""
    made = line([1000] * 5, Service(seconds=0.1, receive=8, batch=4), workers=10)
    made.advance(4.0)
    made.look()
    made.advance(5.0)
    look = made.look()
    assert (look.busy, look.in_flight) == (pytest.approx(10.0), pytest.approx(60.0))
    assert look.visible == pytest.approx(5 * (1000 - 100) - 60, rel=0.02)
    made.advance(100.0)
    outcome = made.outcome()
    longest = outcome.wait.argmax()
    assert outcome.latency[longest] - outcome.wait[longest] == pytest.approx(0.6), (
        "of a batch each waits for the others"
    )


def test_busy_workers_that_go_end_what_they_hold():
    """Nothing of it is put back into the queue: it is in flight until it is answered."""
    made = line([100] * 10, workers=10)
    made.advance(5.0)
    made.look()
    gone = made.remove(10, busy=True)
    look = made.look()
    assert len(gone) == 10
    assert max(gone) == pytest.approx(5.1)
    assert look.visible == 0.0
    assert look.in_flight == pytest.approx(10.0, abs=0.2)
    made.advance(6.0)
    assert made.look().answers == pytest.approx(look.in_flight)


def test_what_a_killed_worker_held_comes_back():
    """It is in flight, answered by nobody, and visible after its visibility timeout."""
    made = line([50] * 5 + [0] * 40, workers=1, visibility_timeout=30.0)
    made.advance(5.0)
    before = made.look()
    made.kill()
    look = made.look()
    assert (look.answers, look.in_flight) == (0.0, 1.0)
    assert look.visible == pytest.approx(before.visible)
    made.advance(36.0)
    look = made.look()
    assert (look.answers, look.visible) == (0.0, pytest.approx(before.visible + 1))


def test_a_fluid_runs_dry():
    """What is left of the last picture does not keep workers for ever."""
    made = line([3] + [0] * 60, Service(seconds=1.0), workers=5)
    made.advance(30.0)
    made.look()
    made.advance(31.0)
    look = made.look()
    assert (look.visible, look.in_flight, look.busy) == (0.0, 0.0, 0.0)
    assert not made.done, "more may come"
    made.advance(61.0)
    assert made.done


def test_how_many_are_idle_is_chance_and_right_on_the_average():
    """At a moment there are more or fewer at work than on the average; two who ask at that moment hear the same."""
    made = line([100] * 400, workers=30)
    seen = []
    for now in range(5, 400):
        made.advance(float(now))
        seen.append(30 - made.idle)
        assert 30 - made.idle == seen[-1]
    assert np.mean(seen) == pytest.approx(10.0, rel=0.1)
    assert np.var(seen) == pytest.approx(10.0, rel=0.3)


def test_a_part_of_a_step_has_its_part_of_the_pictures():
    """Whoever looks between two steps sees a picture come when it comes."""
    made = line([100], workers=20)
    made.advance(0.25)
    assert made.look().arrivals == pytest.approx(25.0)
    made.advance(0.75)
    assert made.look().arrivals == pytest.approx(50.0)
