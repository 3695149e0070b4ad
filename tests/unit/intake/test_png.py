"""A PNG's chunks, as far as they can be judged without inflating one."""

import struct
import time

import numpy as np
import pytest

from iraas.errors import TooManyChunks, UndecodableImage
from iraas.intake.inspect import Limits, inspect
from iraas.testing.hostile_damage import cut_pngs
from iraas.testing.png_writer import chunk, ihdr, png, write_png, zeros_stream
from iraas.testing.specimen import whole_png

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
IDAT = chunk(b"IDAT", b"never inflated here")
DEPTHS = {GREY: {1, 2, 4, 8, 16}, RGB: {8, 16}, PALETTE: {1, 2, 4, 8}, GREY_ALPHA: {8, 16}, RGBA: {8, 16}}
COLOURS = chunk(b"PLTE", bytes(range(12)))


@pytest.mark.parametrize("colour_type", range(8))
@pytest.mark.parametrize("bit_depth", [0, 1, 2, 3, 4, 8, 16, 32])
def test_knows_the_colour_types_and_their_depths(colour_type, bit_depth):
    """The fifteen pairs of the specification are taken, and no other."""
    data = png(ihdr(7, 5, colour_type=colour_type, bit_depth=bit_depth), COLOURS, IDAT)
    if bit_depth in DEPTHS.get(colour_type, ()):
        header = inspect(data)
        assert (header.colour_type, header.bit_depth) == (colour_type, bit_depth)
    else:
        with pytest.raises(UndecodableImage, match=f"colour type {colour_type}.*depth of {bit_depth}"):
            inspect(data)


def test_reads_what_a_decoder_must_know():
    """Interlacing, transparency and animation stand in the header's fields."""
    plain = inspect(png(ihdr(7, 5), IDAT))
    assert (plain.width, plain.height) == (7, 5)
    assert (plain.interlaced, plain.transparency, plain.animated) == (False, None, False)

    key, actl = chunk(b"tRNS", b"\x00\x01" * 3), chunk(b"acTL", struct.pack(">II", 10**6, 0))
    fancy = inspect(png(ihdr(7, 5, interlaced=True), actl, key, IDAT))
    assert (fancy.interlaced, fancy.transparency, fancy.animated) == (True, b"\x00\x01" * 3, True)


@pytest.mark.parametrize("size", [(0, 5), (7, 0), (2**31, 1), (1, 2**32 - 1)])
def test_refuses_sizes_that_no_png_can_have(size):
    """Zero and more than 2**31 - 1 are no sizes."""
    with pytest.raises(UndecodableImage, match=f"{size[0]} x {size[1]} pixels"):
        inspect(png(ihdr(*size), IDAT))


@pytest.mark.parametrize("offset", range(26, 29))
def test_refuses_unknown_methods(offset):
    """A compression, filter or interlace method of tomorrow cannot be read today."""
    fields = bytearray(struct.pack(">IIBBBBB", 7, 5, 8, RGB, 0, 0, 0))
    fields[offset - 16] = 7
    with pytest.raises(UndecodableImage, match="method"):
        inspect(png(chunk(b"IHDR", bytes(fields)), IDAT))


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"tRNS"])
def test_refuses_a_wrong_checksum_where_pixels_would_change_unseen(kind):
    """A decoder may pass over a damaged tRNS or PLTE, and show what was hidden."""
    chunks = [ihdr(7, 5, colour_type=PALETTE), COLOURS, chunk(b"tRNS", b"\x00"), IDAT]
    assert inspect(png(*chunks))
    damaged = [part[:-1] + bytes([part[-1] ^ 1]) if part[4:8] == kind else part for part in chunks]
    with pytest.raises(UndecodableImage, match=f"checksum of its {kind.decode()}"):
        inspect(png(*damaged))


def test_refuses_every_cut():
    """Wherever a PNG is cut, the header shows it: no such file reaches a worker."""
    for specimen in cut_pngs():
        with pytest.raises(UndecodableImage, match="cut short"):
            inspect(specimen.data)


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([ihdr(7, 5)], "no pixels"),
        ([ihdr(7, 5), chunk(b"IDAT")], "no pixels"),
        ([IDAT, ihdr(7, 5)], "begin with an IHDR"),
        ([ihdr(7, 5), ihdr(7, 5), IDAT], "IHDR.*misplaced"),
        ([ihdr(7, 5), chunk(b"HUGE"), IDAT], "HUGE.*unknown"),
        ([ihdr(7, 5), chunk(b"\x00\x01\x02\x03"), IDAT], "unknown"),
        ([ihdr(7, 5, colour_type=PALETTE), IDAT], "palette has 0 bytes"),
        ([ihdr(7, 5, colour_type=PALETTE), chunk(b"PLTE", bytes(7)), IDAT], "palette has 7 bytes"),
        ([ihdr(7, 5, colour_type=PALETTE), chunk(b"PLTE", bytes(771)), IDAT], "palette has 771 bytes"),
        ([ihdr(7, 5, colour_type=PALETTE), IDAT, COLOURS], "palette has 0 bytes"),
        ([ihdr(7, 5, colour_type=PALETTE), COLOURS, COLOURS, IDAT], "second PLTE"),
        ([ihdr(7, 5, colour_type=PALETTE), COLOURS, chunk(b"tRNS", bytes(5)), IDAT], "tRNS chunk has 5"),
        ([ihdr(7, 5), chunk(b"tRNS", bytes(2)), IDAT], "tRNS chunk has 2"),
        ([ihdr(7, 5, colour_type=GREY), chunk(b"tRNS", bytes(6)), IDAT], "tRNS chunk has 6"),
    ],
)
def test_refuses_chunks_that_make_no_picture(chunks, words):
    """Missing, double, misplaced and unknown critical chunks are named in words."""
    with pytest.raises(UndecodableImage, match=words):
        inspect(png(*chunks))


def test_pixel_spans_leave_out_what_pixels_do_not_need():
    """Text, profiles, animation frames and what stands behind IEND never come near a decoder."""
    lean = png(ihdr(7, 5, colour_type=PALETTE), COLOURS, chunk(b"tRNS", b"\x00"), IDAT, IDAT)
    fat = png(
        chunk(b"IHDR", lean[16:29]),
        chunk(b"iCCP", b"name\x00\x00" + zeros_stream(10_000)),
        COLOURS,
        chunk(b"acTL", bytes(8)),
        chunk(b"tRNS", b"\x00"),
        chunk(b"zTXt", b"name\x00\x00" + zeros_stream(10_000)),
        IDAT,
        IDAT,
        chunk(b"fdAT", bytes(20)),
        chunk(b"tRNS", b"too late"),
        behind=b"<html>",
    )
    assert b"".join(fat[start:end] for start, end in inspect(fat).pixel_spans) == lean
    assert inspect(lean).pixel_spans == ((0, len(lean)),)


def test_ignores_transparency_where_there_is_alpha():
    """A tRNS beside an alpha channel is forbidden, and browsers take it for nothing."""
    header = inspect(png(ihdr(7, 5, colour_type=RGBA), chunk(b"tRNS", bytes(6)), IDAT))
    assert header.transparency is None
    assert len(header.pixel_spans) == 2


def test_counts_chunks():
    """A PNG of exactly as many chunks as allowed is taken; one chunk more is refused, before the pixels or in all."""
    text = chunk(b"tEXt", b"a\x00b")
    limits = Limits(max_chunks_before_data=5, max_chunks=10)
    assert inspect(png(ihdr(7, 5), text * 4, IDAT), limits)
    with pytest.raises(TooManyChunks, match="5 chunks before"):
        inspect(png(ihdr(7, 5), text * 5, IDAT), limits)
    assert inspect(png(ihdr(7, 5), IDAT * 8), limits)
    with pytest.raises(TooManyChunks, match="more than 10 chunks"):
        inspect(png(ihdr(7, 5), IDAT * 9), limits)


@pytest.mark.parametrize("idats", [(chunk(b"IDAT"), 800_000), (IDAT, 300_000)], ids=["empty", "full"])
def test_a_padded_png_is_refused_soon(idats):
    """Ten megabytes of chunks cost no more than the limit of chunks does: milliseconds."""
    part, times = idats
    data = png(ihdr(7, 5), part * times)
    took = []
    for _ in range(3):  # a collection of garbage may fall into one of them
        began = time.thread_time()
        with pytest.raises(TooManyChunks):
            inspect(data)
        took.append(time.thread_time() - began)
    assert min(took) < 0.25  # 0.03 on a quiet machine; walking all would take seconds


def test_a_common_png_costs_next_to_nothing():
    """300 KB in 37 chunks, as libpng writes them: some twenty microseconds, so that a web process may look."""
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3))
    data = write_png(noise, colour_type=2)
    took = []
    for _ in range(200):
        began = time.thread_time()
        inspect(data)
        took.append(time.thread_time() - began)
    assert np.median(took) < 300e-6  # generous: machines are shared
    assert whole_png() != data
