"""A JPEG's segments, up to its first scan."""

import pytest

from iraas.errors import TooManyPixels, UndecodableImage
from iraas.intake.inspect import Limits, inspect
from iraas.testing.specimen import written_by_pillow

BASELINE = written_by_pillow("JPEG")
PROGRESSIVE = written_by_pillow("JPEG", progressive=True)


def segment(marker: int, data: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


def frame(
    width: int = 64, height: int = 48, *, precision: int = 8, components: int = 3, marker: int = 0xC0
) -> bytes:
    sizes = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return segment(marker, bytes([precision]) + sizes + bytes([components]) + bytes(3 * components))


SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOS = segment(0xDA, b"\x03" + bytes(9)) + b"coded"


def test_reads_the_frame_header():
    """Size, components, and whether the picture comes in one walk or in several."""
    header = inspect(BASELINE)
    assert (header.width, header.height, header.components) == (64, 48, 3)
    assert (header.progressive, header.scans) == (False, 1)

    header = inspect(PROGRESSIVE)
    assert header.progressive
    assert header.scans == PROGRESSIVE.count(b"\xff\xda") == 10


def test_passes_over_fill_bytes_and_thumbnails():
    """Padding between segments, and a thumbnail with its own frame in EXIF, do not confuse it."""
    thumbnail = segment(0xE1, b"Exif\x00\x00" + BASELINE)
    data = SOI + thumbnail + b"\xff\xff" + frame(30, 20) + b"\xff\x01" + SOS + EOI
    assert (inspect(data).width, inspect(data).height) == (30, 20)


def test_frames_of_one_scan_are_not_searched_for_more():
    """A sequential picture is drawn once, even if its coded bytes look like scans."""
    assert inspect(SOI + frame() + SOS + b"\xff\xda" * 5000 + EOI).scans == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SOI + b"\xff", "cut short"),
        (BASELINE[:30], "cut short"),
        (BASELINE[:-2], "no end marker"),
        (SOI + segment(0xE0, b"JFIF") + b"junk" + frame() + SOS + EOI, "no segment begins at byte"),
        (SOI + b"\xff\xe0\x00\x01" + frame() + SOS + EOI, "no length"),
        (SOI + SOS + EOI, "no frame header"),
        (SOI + EOI + frame() + SOS + EOI, "no frame header"),
        (SOI + frame() + frame() + SOS + EOI, "two frame headers"),
        (SOI + frame(0, 48) + SOS + EOI, "0 x 48"),
        (SOI + frame(64, 0) + SOS + EOI, "64 x 0"),
        (SOI + frame(precision=12) + SOS + EOI, "12 bits"),
        (SOI + frame(components=2) + SOS + EOI, "2 components"),
        (SOI + segment(0xC0, b"\x08\x00\x01") + SOS + EOI, "within its frame header"),
        (SOI + b"\xff" * 5000 + frame() + SOS + EOI, "more than 4,096 segments"),
        (SOI + segment(0xFE) * 5000 + frame() + SOS + EOI, "more than 4,096 segments"),
    ],
)
def test_refuses_what_is_damaged_or_cut(data, words):
    """What the segments alone show to be no picture is refused in words, and after bounded work."""
    with pytest.raises(UndecodableImage, match=words):
        inspect(data)


@pytest.mark.parametrize("first", [frame(marker=0xC2), frame(marker=0xC0)], ids=["progressive", "sequential"])
def test_refuses_a_picture_drawn_over_and_over(first):
    """Scans times pixels is bounded, so that a small file cannot keep a decoder busy for minutes."""
    scan = segment(0xDA, b"\x01" + bytes(7))
    assert inspect(SOI + first + scan * 500 + EOI).scans == 500
    with pytest.raises(TooManyPixels, match="501 times over"):
        inspect(SOI + first + scan * 501 + EOI)
    small = Limits(max_pixels=64 * 48)
    assert inspect(SOI + first + scan * 20 + EOI, small).scans == 20
    with pytest.raises(TooManyPixels, match="64 x 48 pixels 21 times"):
        inspect(SOI + first + scan * 21 + EOI, small)


def test_takes_the_scans_that_encoders_write():
    """25 megapixels in the 14 scans of a thorough encoder are no attack."""
    scans = segment(0xDA, b"\x01" + bytes(7)) * 14
    assert inspect(SOI + frame(5000, 5000, marker=0xC2) + scans + EOI).scans == 14
