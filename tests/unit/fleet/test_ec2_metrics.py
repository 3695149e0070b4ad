"""iraas.fleet.ec2_metrics: what other web processes take in, from the sum over all."""

from __future__ import annotations

import pytest

from iraas.fleet.ec2_metrics import Others, Total

PERIOD = 10.0
NOW = 1_700_000_005.0  # five seconds into a period


def total(ago: int, pictures: float) -> Total:
    """The period that ended so many periods before the current one began."""
    return Total(1_700_000_000.0 - (ago + 1) * PERIOD, pictures)


@pytest.fixture
def others():
    return Others(period=PERIOD)


def test_without_a_word_of_cloudwatch_there_are_no_others(others):
    """Own arrivals only, as long as nothing can be read."""
    others.published(50, at=NOW - 3)
    assert others.rate(NOW) == 0


def test_what_the_others_took_in_goes_on(others):
    """The sum of the newest whole period, less one's own part of it, as a rate."""
    others.published(20, at=total(0, 0).begin + 3)
    others.published(7, at=total(1, 0).begin + 3)  # of the period before
    others.read([total(1, 500), total(0, 120)])
    assert others.rate(NOW) == pytest.approx(10.0)


def test_alone_there_are_no_others(others):
    """What one published oneself is not counted twice, wherever in the period it was."""
    begin = total(0, 0).begin
    others.published(20, at=begin)
    others.published(5, at=begin + 9.99)
    others.read([total(0, 25)])
    assert others.rate(NOW) == 0


def test_a_period_that_may_not_be_whole_yet_is_not_believed(others):
    """High-resolution data come a few seconds late: until then the period before counts."""
    others.read([total(1, 100), total(0, 1)])
    assert others.rate(NOW - 1) == pytest.approx(10.0)
    assert others.rate(NOW) == pytest.approx(0.1)


def test_old_sums_are_forgotten(others):
    """Half a minute after a period nobody believes that it goes on so."""
    others.read([total(0, 100)])
    assert others.rate(NOW + 20) == pytest.approx(10.0)
    assert others.rate(NOW + 26) == 0


def test_a_sum_below_ones_own_part_is_no_negative_rate(others):
    """Clocks that differ move a datapoint into the next period."""
    others.published(20, at=total(0, 0).begin + 1)
    others.read([total(0, 3)])
    assert others.rate(NOW) == 0
