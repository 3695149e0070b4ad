"""Which kind of image it is, and what is refused before anybody looks closer."""

import pytest

from iraas.errors import (
    EmptyImage,
    ImageTooLarge,
    IraasError,
    TooManyPixels,
    UndecodableImage,
    UnsupportedMediaType,
)
from iraas.intake.inspect import JpegHeader, Limits, PngHeader, WebpHeader, inspect
from iraas.testing.hostile import ANSWERED, hostile_pictures
from iraas.testing.specimen import whole_png, written_by_pillow

WHOLE = {
    "png": (whole_png(), PngHeader),
    "jpeg": (written_by_pillow("JPEG"), JpegHeader),
    "webp": (written_by_pillow("WEBP"), WebpHeader),
}


@pytest.mark.parametrize("name", WHOLE)
def test_tells_the_format_by_the_bytes(name):
    """What an image is stands in its first bytes; so does where its width and height are."""
    data, kind = WHOLE[name]
    header = inspect(data)
    assert isinstance(header, kind)
    assert (header.format, header.width, header.height) == (name, 64, 48)


@pytest.mark.parametrize("name", WHOLE)
def test_takes_a_view_for_bytes(name):
    """A view of a larger buffer says the same as a copy of it, and the buffer's end does not count."""
    data, _ = WHOLE[name]
    assert inspect(memoryview(b"before" + data + b"behind")[6:-6]) == inspect(data)


def test_refuses_no_bytes():
    """Zero bytes are their own error: the client forgot something."""
    with pytest.raises(EmptyImage):
        inspect(b"")


def test_counts_bytes_before_it_looks_at_them():
    """One byte more than allowed is too many, whatever the bytes are."""
    data = whole_png()
    assert inspect(data, Limits(max_image_bytes=len(data)))
    with pytest.raises(ImageTooLarge, match=f"{len(data):,} bytes; at most {len(data) - 1:,}"):
        inspect(data, Limits(max_image_bytes=len(data) - 1))
    with pytest.raises(ImageTooLarge):
        inspect(b"noise" * 10, Limits(max_image_bytes=49))


@pytest.mark.parametrize("name", WHOLE)
def test_holds_pixels_and_sides_to_their_limits(name):
    """A picture of exactly the limit is taken; one pixel beyond, in all or on a side, is not."""
    data, _ = WHOLE[name]
    assert inspect(data, Limits(max_pixels=64 * 48, max_side=64))
    with pytest.raises(TooManyPixels, match="64 x 48 pixels = 3,072; at most 3,071"):
        inspect(data, Limits(max_pixels=64 * 48 - 1))
    with pytest.raises(TooManyPixels, match="a side may have at most 63"):
        inspect(data, Limits(max_side=63))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a" + bytes(20), "a GIF"),
        (b"\n  <SVG xmlns=", "an SVG"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"\x00\x00\x00\x1cftypheic" + bytes(20), "HEIC"),
        (b"\x89PNG\n\x1a\n" + bytes(20), "text mode"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "first bytes"),
        (b"hello", "first bytes"),
    ],
)
def test_says_what_an_unsupported_file_looks_like(data, words):
    """A user who sent the wrong kind of file reads which kind it seems to be."""
    with pytest.raises(UnsupportedMediaType, match=words):
        inspect(data)


@pytest.mark.parametrize("data", [b"\x89", b"\x89PNG\r\n", b"\xff", b"\xff\xd8"])
def test_a_piece_of_a_signature_is_an_image_cut_short(data):
    """Who sent three bytes of a PNG has lost the rest, and did not choose a wrong format."""
    with pytest.raises(UndecodableImage, match="cut short"):
        inspect(data)


def test_condemns_by_the_header_what_a_header_can_condemn():
    """Whatever in the hostile set is no picture by its size, kind or chunks never gets past the web tier."""
    by_header = {
        "empty-image",
        "image-too-large",
        "unsupported-media-type",
        "too-many-pixels",
        "too-many-chunks",
    }
    for specimen in hostile_pictures():
        if specimen.outcomes <= by_header:
            with pytest.raises(IraasError) as told:
                inspect(specimen.data)
            assert told.value.slug in specimen.outcomes, specimen.name
        elif specimen.outcomes == {ANSWERED}:
            inspect(specimen.data)
