"""Arbitrary and mutated bytes: pixels, or an error of ours, and nothing else."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iraas.errors import ImageTooLarge, IraasError
from iraas.intake.inspect import Limits, inspect
from iraas.testing.png_writer import chunk, ihdr, png
from iraas.testing.specimen import whole_png, written_by_pillow
from iraas.worker.decode import decode

LIMITS = Limits(max_pixels=100_000, max_side=2_000)  # a flipped size costs memory by design: not here
SEEDS = [
    whole_png(),
    written_by_pillow("PNG", size=(20, 20), transparency=(0, 0, 99)),
    written_by_pillow("JPEG", size=(20, 20)),
    written_by_pillow("JPEG", size=(20, 20), progressive=True),
    written_by_pillow("WEBP", size=(20, 20)),
    written_by_pillow("WEBP", size=(20, 20), lossless=True),
]
SIGNATURES = [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", b"\xff\xd8\xff", b"RIFF"]

quickly = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decodes_or_says_why(data: bytes) -> None:
    try:
        picture = decode(data, size=16, limits=LIMITS)
    except IraasError as error:
        status, detail = error.status, error.detail
    else:
        assert (picture.shape, picture.dtype) == ((16, 16, 3), np.uint8)
        return
    assert 400 <= status < 500
    assert detail


@quickly
@given(st.sampled_from(SIGNATURES), st.binary(max_size=400))
def test_arbitrary_bytes(signature, rest):
    """Bytes that nobody made for us, with and without the beginning of a picture."""
    decodes_or_says_why(signature + rest)


@quickly
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12),
    st.floats(0, 1),
    st.binary(max_size=20),
)
def test_mutated_pictures(seed, changes, end, behind):
    """A picture with some bytes changed, its end cut off, and others put there."""
    data = bytearray(seed)
    for place, value in changes:
        data[int(place * len(data))] = value
    decodes_or_says_why(bytes(data[: max(1, int(len(data) * (0.5 + end)))] + behind))


@quickly
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([0, 2, 3, 4, 6]),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from([b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"iCCP", b"acTL"]), st.binary(max_size=60)
        ),
        max_size=6,
    ),
)
def test_pngs_of_random_chunks(width, height, colour_type, bit_depth, interlaced, chunks):
    """Right checksums around wrong content: what gets furthest into a decoder."""
    header = ihdr(width, height, colour_type=colour_type, bit_depth=bit_depth, interlaced=interlaced)
    decodes_or_says_why(png(header, *(chunk(kind, data) for kind, data in chunks)))


@quickly
@given(st.binary(min_size=1, max_size=300), st.integers(0, 299))
def test_the_inspector_reads_no_further_than_the_bytes(data, limit):
    """A view into a larger buffer is judged as if nothing stood behind it."""
    for seed in (data, SEEDS[0][:33] + data):
        outcomes = []
        for given_bytes in (seed, memoryview(seed + b"\x00" * 64)[: len(seed)]):
            try:
                outcomes.append(inspect(given_bytes, Limits(max_image_bytes=limit + 40)))
            except IraasError as error:
                outcomes.append((error.slug, error.detail))
        assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_the_seeds_are_whole(seed):
    """What is mutated above decodes before it is mutated, or the tests would try nothing."""
    decode(seed, size=16, limits=LIMITS)
    with pytest.raises(ImageTooLarge):
        decode(seed, size=16, limits=Limits(max_image_bytes=10))
