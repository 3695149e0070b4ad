"""The hostile set itself: the same every time, and what the limits say of it."""

import zlib

import pytest

from iraas import errors
from iraas.testing.hostile import ANSWERED, Specimen, hostile_pictures
from iraas.testing.hostile_bombs import as_much_as_is_allowed
from iraas.testing.hostile_damage import cut_pngs, flipped_pngs
from iraas.testing.png_writer import zeros_stream
from iraas.testing.specimen import whole_png


@pytest.fixture(scope="module")
def everything() -> list[Specimen]:
    return list(hostile_pictures())


def test_is_the_same_every_time(everything):
    """A failure that one saw, another can see: names and bytes do not change, and names are unique."""
    assert all(one == again for one, again in zip(everything, hostile_pictures(), strict=True))
    assert len({specimen.name for specimen in everything}) == len(everything)


def test_expects_outcomes_that_exist(everything):
    """Every outcome is a slug of the error tree below 500, or an answer."""
    for specimen in everything:
        assert specimen.outcomes
        for outcome in specimen.outcomes - {ANSWERED}:
            assert 400 <= errors.error_for(outcome).status < 500, (specimen.name, outcome)


def test_fits_through_the_door(everything):
    """Nothing is larger than a client could upload: what is refused for its size is just over it."""
    assert max(len(specimen.data) for specimen in everything) < 12_100_000


def test_has_what_was_promised():
    """A hundred cuts, a thousand flipped bits, each once; and nothing of the whole PNG but one bit is changed."""
    whole = whole_png()
    assert len({specimen.data for specimen in cut_pngs()}) == 100
    flipped = {specimen.data for specimen in flipped_pngs()}
    assert len(flipped) == 1000
    for data in flipped:
        difference = int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")
        assert difference.bit_count() == 1


def test_bombs_are_small():
    """Whoever asks for 25 megapixels of 16 bits sends 200 KB."""
    assert max(len(specimen.data) for specimen in as_much_as_is_allowed()) < 250_000


@pytest.mark.parametrize("count", [0, 1, 1_000_000, 1 << 20, 3_500_000])
def test_a_stream_of_zeros_is_a_zlib_stream(count):
    """However it is put together, zlib inflates it to so many zeros, checksum included."""
    assert zlib.decompress(zeros_stream(count)) == bytes(count)
