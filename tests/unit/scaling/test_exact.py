"""iraas.scaling.exact: pictures one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.unit.scaling.replay import Replay

from iraas.scaling import exact
from iraas.scaling.exact import ExactLine
from iraas.scaling.service import Service
from iraas.scaling.workloads import Burst, shape

ONE_SECOND = Service(seconds=1.0)


def line(times, service=ONE_SECOND, *, workers=1, **fields):
    """Pictures that come at these times, and workers that are there from the beginning."""
    made = ExactLine(Replay(times, 100.0), service, np.random.default_rng(1), **fields)
    made.add(workers)
    return made


def answers(made, until=1000.0):
    """Who came, waited and was answered: (born, wait, latency), in order of birth."""
    made.advance(until)
    born, wait, latency, _ = made.outcome()
    return [
        tuple(round(float(value), 6) for value in row)
        for row in sorted(zip(born, wait, latency, strict=True))
    ]


def test_one_worker_takes_one_after_the_other():
    """Three pictures at once take three seconds, and a late one has nobody before it."""
    assert answers(line([0.0, 0.0, 0.0, 5.0])) == [(0, 0, 1), (0, 1, 2), (0, 2, 3), (5, 0, 1)]


def test_two_workers_share_the_queue():
    """Whoever is free first takes the oldest."""
    assert answers(line([0.0, 0.5, 0.6, 0.7], workers=2)) == [
        (0.0, 0.0, 1.0),
        (0.5, 0.0, 1.0),
        (0.6, 0.4, 1.4),
        (0.7, 0.8, 1.8),
    ]


def test_it_does_not_matter_how_often_one_looks():
    """The same pictures have the same waits, whether time moves on in one leap or in many small steps."""
    times = np.random.default_rng(3).uniform(0, 100, 300)
    service = Service(seconds=0.6, distribution="exponential")
    often = line(times, service, workers=2)
    for now in np.arange(0.0, 400.0, 0.37):
        often.advance(float(now))
    assert answers(often) == answers(line(times, service, workers=2))


def test_a_long_list_is_cut_without_a_trace(monkeypatch):
    """What is begun is forgotten now and then; nobody can tell."""
    times = np.random.default_rng(3).uniform(0, 100, 300)
    whole = answers(line(times, workers=5))
    monkeypatch.setattr(exact, "FORGET", 7)
    cut = line(times, workers=5)
    came = 0
    for now in range(0, 200, 3):
        cut.advance(float(now))
        came += cut.look().arrivals
    assert answers(cut) == whole
    assert came == cut.came == 300


def test_a_look_tells_what_there_is_and_what_was():
    """One of three is worked on for the whole second; the others wait, the older for all of it."""
    made = line([0.0, 0.5, 0.75])
    made.advance(1.0)
    look = made.look()

    assert (look.visible, look.in_flight, look.busy) == (2, 1.0, 1.0)
    assert (look.arrivals, look.answers) == (3, 1)
    assert look.oldest_age == 0.5
    made.advance(4.0)
    look = made.look()
    assert (look.visible, look.arrivals, look.answers, look.oldest_age) == (0, 0, 2, 0.0)
    assert look.in_flight == pytest.approx(2 / 3), "two of the three seconds"


def test_a_new_worker_takes_what_waits():
    """From the moment on at which it is there."""
    made = line([0.0, 0.0], workers=0)
    made.advance(10.0)
    assert made.look().visible == 2
    made.add(2)
    assert answers(made) == [(0, 10, 11), (0, 10, 11)]


def test_only_idle_ones_go_unless_told_otherwise():
    """A busy worker is spared; or it ends what it holds, and takes no more."""
    made = line([0.0, 0.0, 0.0], workers=2)
    made.advance(0.5)
    assert made.idle == 0
    assert made.remove(1, busy=False) == []
    assert made.remove(1, busy=True) == [1.0]
    assert answers(made) == [(0, 0, 1), (0, 0, 1), (0, 1, 2)]


def test_it_is_not_done_while_a_leaving_worker_is_at_work():
    """What a removed worker holds is under way like any other picture."""
    made = line([0.0])
    made.advance(0.5)
    made.remove(1, busy=True)
    assert not made.done
    made.advance(1.0)
    assert made.done


def test_a_killed_workers_picture_comes_back_and_is_answered_once():
    """After its visibility timeout, counted from the last heartbeat; the wait counts from the first arrival."""
    made = line([2.0], Service(seconds=40.0), kills=True, visibility_timeout=30.0)
    made.advance(27.0)
    made.kill()
    made.add(1)
    made.advance(51.0)
    assert (made.look().visible, made.look().in_flight) == (0, 1.0), "in flight as long as nobody knows"
    assert answers(made) == [(2.0, 50.0, 90.0)], "received at 2, prolonged at 12 and 22, there again at 52"


def test_each_of_two_that_are_killed_together_loses_its_own():
    """Workers that began and would have ended at the same moments are still two workers."""
    made = line([0.0, 0.0, 50.0], Service(seconds=5.0), workers=2, kills=True, visibility_timeout=30.0)
    made.advance(1.0)
    made.kill()
    made.kill()
    made.add(2)
    assert answers(made) == [(0, 30, 35), (0, 30, 35), (50, 0, 5)]


def test_what_a_killed_worker_has_answered_is_answered():
    """Of a batch of eight, three were; the other five come back."""
    made = line([0.0] * 8, Service(seconds=1.0, receive=8, batch=3), kills=True)
    made.advance(3.5)
    made.kill()
    made.add(1)
    assert answers(made) == [(0, 0, 3)] * 3 + [(0, 30, 33)] * 3 + [(0, 30, 35)] * 2


def test_what_comes_back_is_not_taken_for_another():
    """A picture that comes at the very moment at which one comes back keeps its own birth."""
    made = line([0.0, 30.0], kills=True, visibility_timeout=30.0)
    made.advance(0.5)
    made.kill()
    made.advance(1.0)
    made.add(1)
    assert answers(made) == [(0, 30, 31), (30, 1, 2)]


def test_what_comes_back_later_does_not_hold_up_what_comes_before():
    """Arrivals go on between a death and the return of what the dead one held, across the arrays that they come in."""
    times = np.arange(0.0, 40.0)
    made = ExactLine(_Sparse(times), Service(seconds=0.5), np.random.default_rng(1), kills=True)
    made.add(1)
    made.advance(2.2)
    made.kill()
    made.add(1)
    assert answers(made)[:5] == [(0, 0, 0.5), (1, 0, 0.5), (2, 30, 30.5), (3, 0, 0.5), (4, 0, 0.5)]


class _Sparse(Replay):
    """An array for each picture."""

    def __init__(self, times):
        super().__init__(times, 100.0)

    def arrivals(self, rng, *, chunk=1):
        return super().arrivals(rng, chunk=1)


def test_a_line_without_kills_says_so():
    """It keeps no record of who holds what."""
    with pytest.raises(ValueError, match="kills"):
        line([0.0]).kill()


def test_a_batch_is_received_together_and_answered_in_parts():
    """Eight are in flight from the receive on; three are answered at a time, the last two sooner."""
    made = line([0.0] * 9, Service(seconds=1.0, receive=8, batch=3))
    made.advance(0.0)
    made.advance(1.5)
    look = made.look()
    assert (look.visible, look.in_flight, look.busy) == (1, 8.0, 1.0)
    made.advance(4.5)
    assert made.look().answers == 3
    assert answers(made) == [(0, 0, 3)] * 3 + [(0, 0, 6)] * 3 + [(0, 0, 8)] * 2 + [(0, 8, 9)]


@pytest.mark.parametrize("requests", [100, 1000])
def test_clients_that_wait_never_have_more_than_one_picture_each(requests):
    """A hundred clients: a hundred pictures at most are not answered, at every moment."""
    made = ExactLine(Burst(100, requests), Service(seconds=0.1), np.random.default_rng(1))
    made.add(3)
    came = answered = 0
    for tenth in range(1, 1000):
        made.advance(tenth / 10)
        look = made.look()
        came, answered = came + look.arrivals, answered + look.answers
        assert came - answered == made.look().in_flight + look.visible <= 100
    assert came == answered == requests
    assert made.done


def test_a_client_thinks_before_its_next_picture():
    """One client, two seconds a round: one of service, one of thought."""
    made = ExactLine(Burst(1, 3, think=1.0), ONE_SECOND, np.random.default_rng(1))
    made.add(1)
    assert answers(made) == [(0, 0, 1), (2, 0, 1), (4, 0, 1)]


def test_a_client_that_gives_up_sends_its_next_at_once():
    """Without workers each of two clients sends a picture every three seconds; all are answered in the end."""
    made = ExactLine(Burst(2, 8), ONE_SECOND, np.random.default_rng(1), patience=3.0)
    came = []
    for now in range(1, 12):
        made.advance(float(now))
        came.append(made.look().arrivals)
    assert came == [2, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0]
    made.add(8)
    assert [born for born, _, _ in answers(made)] == [0, 0, 3, 3, 6, 6, 9, 9]


@pytest.mark.parametrize(("patience", "second"), [(math.inf, 31.0), (10.0, 10.0)])
def test_a_client_of_a_killed_worker_waits_on(patience, second):
    """Its next picture comes when the first is answered after all, or when its patience ends."""
    made = ExactLine(Burst(1, 2), ONE_SECOND, np.random.default_rng(1), patience=patience, kills=True)
    made.add(1)
    made.advance(0.5)
    made.kill()
    made.add(1)
    assert answers(made) == [(0, 30, 31), (second, 0, 1)]


def test_a_backlog_costs_no_memory():
    """Service times that were laid out for pictures whose turn did not come are given back, not piled up."""
    made = line(np.zeros(50_000), Service(seconds=1.0))
    for now in range(1, 200):
        made.advance(float(now))
    assert not made._times._stock


def test_policies_get_the_same_arrivals_whatever_they_do():
    """Chance in arrivals and chance in service times are apart, also beyond the first array of arrivals."""
    workload = shape("steady", rate=300.0, duration=400.0)
    born = []
    for workers in (5, 40):
        made = ExactLine(
            workload, Service(seconds=0.01, distribution="exponential"), np.random.default_rng(7)
        )
        made.add(workers)
        for now in range(0, 410, 10):
            made.advance(float(now))
        born.append(made.outcome().born)
    assert len(born[0]) > 100_000
    np.testing.assert_array_equal(*born)
