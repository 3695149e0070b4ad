"""iraas.scaling.service: a worker's pace."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iraas.scaling.service import Service, ServiceTimes, of_our_worker


def test_what_was_given_back_comes_next():
    """So that it does not matter in how large portions service times are taken."""
    service = Service(seconds=2.0, distribution="exponential")
    whole = ServiceTimes(service, np.random.default_rng(1)).take(100)
    parts = ServiceTimes(service, np.random.default_rng(1))
    taken = parts.take(40)
    parts.give_back(taken[10:])
    assert taken[:10] + parts.take(90) == whole
    assert np.mean(whole) == pytest.approx(2.0, rel=0.3)
    assert parts.take(0) == []


def test_equal_pictures_take_equal_times():
    """And none of them is kept in stock."""
    times = ServiceTimes(Service(seconds=0.5), np.random.default_rng(1))
    assert times.take(3) == [0.5, 0.5, 0.5]
    times.give_back([0.5])
    assert times.take(1) == [0.5]


def test_a_long_run_outlives_its_stock():
    """More than are drawn at once."""
    times = ServiceTimes(Service(distribution="exponential"), np.random.default_rng(1))
    assert len(times.take(100_000)) == 100_000


def test_our_worker_answers_after_a_tenth_of_a_second():
    """Eight quick pictures together, slow ones one by one; of slow ones it takes no more than it can soon answer."""
    paces = [of_our_worker(seconds) for seconds in (0.004, 0.03, 1.0)]
    assert [(pace.receive, pace.batch, pace.held) for pace in paces] == [
        (8, 8, 8.0),
        (7, 4, 5.5),
        (1, 1, 1.0),
    ]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"seconds": 0.0}, "service: 0 is no time for a picture; give seconds above 0"),
        ({"seconds": math.inf}, "service: inf"),
        ({"batch": 2}, "service: a batch of 2 of 1 received cannot be"),
        ({"batch": 0}, "a batch of 0"),
    ],
)
def test_refuses_what_cannot_be(fields, says):
    """With what to write instead."""
    with pytest.raises(ValueError, match=says):
        Service(**fields)
