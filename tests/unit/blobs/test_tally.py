"""How full a store is."""

import pytest

from iraas.blobs.tally import Tally, footprint
from iraas.errors import OutOfRoom


@pytest.mark.parametrize(("size", "blocks"), [(0, 1), (2_048, 1), (2_049, 2), (9_000, 3), (300_000, 74)])
def test_an_object_takes_whole_blocks(size, blocks):
    """Header and data are rounded up to what a file system gives."""
    assert footprint(size) == blocks * 4_096


def test_refuses_what_goes_beyond_the_limit():
    """A put that just fits is taken; the next is refused in words that name limit and mend."""
    tally = Tally(limit=1_000)
    tally.take(600)
    tally.take(400)
    with pytest.raises(OutOfRoom, match=r"1,000 of 1,000 bytes.*IRAAS_MAX_STORE_BYTES"):
        tally.take(1)
    assert tally.used == 1_000


def test_what_is_elsewhere_counts():
    """Answers take room of the same limit as inputs."""
    tally = Tally(limit=1_000)
    tally.elsewhere = 900
    with pytest.raises(OutOfRoom):
        tally.take(101)
    tally.take(100)


def test_calls_for_room_before_it_is_full():
    """Beyond 95 % the call goes out, and not before."""
    tally = Tally(limit=1_000)
    tally.take(950)
    assert not tally.near_full.is_set()
    tally.take(1)
    assert tally.near_full.is_set()


def test_a_refused_put_calls_for_room_for_itself():
    """The largest refusal is remembered, however far from the limit the store was."""
    tally = Tally(limit=1_000)
    for size in (1_100, 1_200, 1_050):
        with pytest.raises(OutOfRoom):
            tally.take(size)
    assert tally.refused == 1_200
    assert tally.near_full.is_set()


def test_without_a_limit_everything_is_taken():
    """No limit, no call, no refusal."""
    tally = Tally(limit=None)
    tally.take(10**15)
    assert not tally.near_full.is_set()


def test_never_counts_below_nothing():
    """Deletes of what was never counted make no more room than there is."""
    tally = Tally(limit=1_000)
    tally.give_back(500)
    assert tally.used == 0
    tally.take(1_000)
