"""iraas.web.pace: what was answered lately, and how soon."""

from __future__ import annotations

import pytest

from iraas.testing.manual_clock import ManualClock
from iraas.web.pace import KEPT, Pace


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


def test_nothing_has_no_latency(pace):
    """Before the first answer the rate is zero, and latencies are not known rather than zero."""
    assert pace.rate(10) == 0
    assert pace.latency(10) == (None, None)
    assert pace.service_seconds is None


def test_the_rate_is_that_of_the_window(pace, clock):
    """What was answered before the window does not count."""
    for _ in range(30):
        clock.advance(0.5)
        pace.answered()

    assert pace.rate(10) == 2.0
    clock.advance(5)
    assert pace.rate(10) == 1.0
    clock.advance(5)
    assert pace.rate(10) == 0


def test_more_answers_than_are_kept_do_not_slow_the_rate(pace, clock):
    """A window that holds more answers than are remembered is measured by those of its end."""
    for _ in range(2 * KEPT):
        clock.advance(0.001)
        pace.answered()

    assert pace.rate(10) == pytest.approx(1_000, rel=0.01)


def test_answers_without_time_between_them_have_a_rate(pace):
    """A clock that stands still divides nothing by zero."""
    for _ in range(KEPT):
        pace.answered()

    assert pace.rate(10) > KEPT


@pytest.mark.parametrize(("waits", "p50", "p95"), [([0.2], 200, 200), ([0.1, 0.3], 100, 300)])
def test_few_latencies_are_their_own_percentiles(pace, waits, p50, p95):
    """A percentile is always the latency of one request, never a mean of two."""
    for wait in waits:
        pace.waited(wait)

    assert pace.latency(10) == pytest.approx((p50, p95))


def test_percentiles_are_those_of_the_window(pace, clock):
    """Of 1 to 100 ms half took at most 50, and 95 at most 95; what is older than the window is forgotten."""
    pace.waited(100.0)
    clock.advance(10)
    for milliseconds in range(100, 0, -1):
        pace.waited(milliseconds / 1000)

    assert pace.latency(10) == pytest.approx((50, 95))


def test_the_service_time_follows_what_workers_say(pace):
    """The first picture says it whole; later ones move it a little; one that says nothing does not."""
    pace.answered(40.0)
    assert pace.service_seconds == pytest.approx(0.040)
    pace.answered(80.0)
    pace.answered(0.0)
    assert pace.service_seconds == pytest.approx(0.042)


def test_what_moves_is_noted(pace, clock):
    """A job that came and an answer that was heard both say when."""
    pace.accepted()
    assert pace.moved_at == clock.boot()
    clock.advance(3)
    pace.answered()
    assert pace.moved_at == clock.boot()
