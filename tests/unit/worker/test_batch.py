"""iraas.worker.batch: when a batch closes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from iraas.worker.batch import BatchRule


def test_closes_when_nothing_more_is_in_hand():
    """A batch never waits for pictures that are not there: at concurrency 1 it closes with one."""
    assert BatchRule().closes(pictures=1, seconds=0.0, held=0)


def test_stays_open_for_what_is_in_hand():
    """While jobs are held and there is room and time, the next one joins."""
    assert not BatchRule().closes(pictures=1, seconds=0.0, held=3)


def test_closes_when_full():
    """Eight pictures are enough."""
    assert BatchRule(max_pictures=8).closes(pictures=8, seconds=0.0, held=3)


def test_closes_when_the_first_waited_long_enough():
    """The first picture's answer does not wait longer than `max_seconds` for the last one's."""
    assert BatchRule(max_seconds=0.05).closes(pictures=2, seconds=0.05, held=3)


@given(st.integers(0, 20), st.floats(0, 10), st.integers(0, 20))
def test_always_takes_at_least_one_job_in_hand(pictures, seconds, held):
    """An empty batch never closes over jobs in hand: the worker would turn without working."""
    if pictures == 0 and held:
        assert not BatchRule().closes(pictures=pictures, seconds=seconds, held=held)
