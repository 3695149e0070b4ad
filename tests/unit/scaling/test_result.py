"""iraas.scaling.result: what a user wants to know of a simulation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from iraas.scaling.result import Change, Spread, reversals, share_beyond, spread_of


def array(*values):
    return np.array(values, dtype=np.float64)


def test_a_spread_is_mean_and_quantiles():
    """Of the numbers from 0 to 100."""
    values = np.arange(101.0)
    assert spread_of(values, np.ones(101)) == Spread(50.0, 50.0, 95.0, 99.0)


def test_weights_stand_for_pictures():
    """Cohorts give what their pictures one by one would."""
    values, weights = array(3.0, 1.0, 2.0), array(1.0, 97.0, 2.0)
    found = spread_of(values, weights)
    assert found == Spread(pytest.approx((3 + 97 + 4) / 100), 1.0, 1.0, 2.0)


def test_nothing_has_no_spread():
    """A simulation in which nothing was answered still has a result."""
    assert spread_of(array(), array()) == Spread(0.0, 0.0, 0.0, 0.0)


def test_what_was_never_answered_is_late():
    """One of two answered ones waited too long, and two of four were not answered."""
    assert share_beyond(array(1.0, 3.0), array(1.0, 1.0), 2.0, of=4.0) == 0.75
    assert share_beyond(array(2.0), array(1.0), 2.0, of=1.0) == 0.0, "at the objective is not beyond it"
    assert share_beyond(array(), array(), 2.0, of=0.0) == 0.0


def test_a_reversal_is_a_change_of_direction():
    """Two up, one down, one up: two reversals."""
    path = [1, 3, 5, 4, 6]
    changes = [Change(0.0, before, after, "") for before, after in pairwise(path)]
    assert reversals(changes) == 2
    assert reversals([]) == 0
