"""A WebP's RIFF chunks, up to its first picture."""

import pytest
from PIL import Image

from iraas.errors import TooManyPixels, UndecodableImage
from iraas.intake.inspect import inspect
from iraas.testing.specimen import written_by_pillow

LOSSY = written_by_pillow("WEBP")
LOSSLESS = written_by_pillow("WEBP", lossless=True)
ANIMATED = written_by_pillow("WEBP", save_all=True, append_images=[Image.new("RGB", (64, 48))])


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\x00" * (len(data) & 1)


def three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def extended(width: int, height: int, flags: int = 0) -> bytes:
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + three(width - 1) + three(height - 1))


def lossless(width: int, height: int) -> bytes:
    return chunk(b"VP8L", b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little") + bytes(4))


def lossy(width: int, height: int, start: bytes = b"\x00\x00\x00\x9d\x01\x2a") -> bytes:
    return chunk(b"VP8 ", start + width.to_bytes(2, "little") + height.to_bytes(2, "little") + bytes(4))


def animation(left: int, top: int, width: int, height: int, *chunks: bytes) -> bytes:
    place = three(left // 2) + three(top // 2) + three(width - 1) + three(height - 1)
    return chunk(b"ANMF", place + bytes(4) + b"".join(chunks))


@pytest.mark.parametrize(
    ("data", "flavour", "alpha", "animated"),
    [
        (LOSSY, "VP8 ", False, False),
        (LOSSLESS, "VP8L", False, False),
        (ANIMATED, "VP8X", False, True),
        (riff(extended(64, 48, 0x10), chunk(b"ALPH", b"?"), lossy(64, 48)), "VP8X", True, False),
    ],
)
def test_reads_the_three_flavours(data, flavour, alpha, animated):
    """Lossy, lossless and extended: each keeps its size elsewhere."""
    header = inspect(data)
    assert (header.width, header.height) == (64, 48)
    assert (header.flavour, header.alpha, header.first_frame is not None) == (flavour, alpha, animated)


def test_points_at_the_first_frame():
    """The decoder is told where an animation's first frame lies, and nothing of the others."""
    first = animation(4, 6, 10, 20, chunk(b"ALPH", b"abc"), lossy(10, 20))
    data = riff(
        extended(64, 48, 0x02), chunk(b"ANIM", bytes(6)), first, animation(0, 0, 64, 48, lossy(64, 48))
    )
    start, end = inspect(data).first_frame
    assert data[start:end] == first[8:]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LOSSY[:-2], "cut short"),
        (LOSSLESS[:25], "cut short"),
        (riff(), "does not begin"),
        (riff(chunk(b"EXIF", b"?"), lossy(64, 48)), "does not begin"),
        (riff(chunk(b"VP8 ", b"?" * 40)[:-4]), "cut short within"),
        (riff(lossy(64, 48, start=b"\x01\x00\x00\x9d\x01\x2a")), "VP8 picture has no header"),
        (riff(lossy(64, 48, start=b"\x00\x00\x00\x9d\x01\x2b")), "VP8 picture has no header"),
        (riff(lossy(0, 48)), "0 x 48"),
        (riff(chunk(b"VP8L", b"\x2e" + bytes(8))), "VP8L picture has no header"),
        (riff(chunk(b"VP8X", bytes(9))), "too short"),
        (riff(extended(64, 48)), "no pixels"),
        (riff(extended(64, 48), chunk(b"TEXT", b"") * 5000, lossy(64, 48)), "no pixels"),
        (riff(extended(64, 48), lossy(65, 48)), "differ in size"),
        (riff(extended(64, 48, 0x02), lossy(64, 48)), "no pixels"),
        (riff(extended(64, 48, 0x02), chunk(b"ANMF", bytes(15))), "too short"),
        (riff(extended(64, 48, 0x02), animation(60, 0, 10, 20, lossy(10, 20))), "beyond the canvas"),
        (riff(extended(64, 48, 0x02), animation(0, 40, 10, 20, lossy(10, 20))), "beyond the canvas"),
        (riff(extended(64, 48, 0x02), animation(0, 0, 10, 20, lossy(11, 20))), "of its own size"),
        (riff(extended(64, 48, 0x02), animation(0, 0, 10, 20)), "of its own size"),
    ],
)
def test_refuses_what_is_damaged_or_cut(data, words):
    """What the chunks alone show to be no picture is refused in words, and after bounded work."""
    with pytest.raises(UndecodableImage, match=words):
        inspect(data)


def test_holds_the_canvas_to_the_limits():
    """A canvas is what a decoder would fill, so it is what counts, however small the frame."""
    frame = animation(0, 0, 10, 20, lossless(10, 20))
    assert inspect(riff(extended(5000, 5000, 0x02), frame))
    with pytest.raises(TooManyPixels):
        inspect(riff(extended(5001, 5000, 0x02), frame))
    with pytest.raises(TooManyPixels):
        inspect(riff(lossless(16384, 16384)))


def test_ignores_what_stands_behind():
    """Bytes behind the RIFF's own length are no part of the picture."""
    assert inspect(LOSSY + b"<html>") == inspect(LOSSY)
