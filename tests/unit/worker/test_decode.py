"""The way as a whole: bytes in, the square that a model takes out."""

import io

import cv2
import kornia_rs.io
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from iraas.errors import ImageTooLarge, TooManyPixels
from iraas.intake.inspect import Limits
from iraas.testing.png_writer import write_png
from iraas.testing.specimen import whole_png, written_by_pillow
from iraas.worker.decode import decode

SIZE = 64


def in_format(kind: str, **options: object) -> bytes:
    """Red left, blue right, 64 x 64, as losslessly as the format can."""
    image = Image.new("RGB", (SIZE, SIZE), (250, 10, 20))
    image.paste((10, 20, 250), (SIZE // 2, 0, SIZE, SIZE))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PICTURES = {
    "png": in_format("PNG"),
    "interlaced": write_png(
        np.asarray(Image.open(io.BytesIO(in_format("PNG")))), colour_type=2, interlaced=True
    ),
    "jpeg": in_format("JPEG", quality=100, subsampling=0),
    "webp": in_format("WEBP", lossless=True),
}


@pytest.mark.parametrize("name", PICTURES)
def test_is_rgb_whatever_it_was(name):
    """Each format and each road ends in uint8[size, size, 3] with red first."""
    picture = decode(PICTURES[name], size=SIZE, crop_margin=0)
    assert (picture.shape, picture.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert np.abs(picture[:, : SIZE // 2].astype(int) - (250, 10, 20)).max() <= (4 if name == "jpeg" else 0)
    assert np.abs(picture[:, SIZE // 2 :].astype(int) - (10, 20, 250)).max() <= (4 if name == "jpeg" else 0)


@pytest.mark.parametrize("name", PICTURES)
def test_fills_the_array_it_is_given(name):
    """A slot of a batch is filled in place, and its neighbours are left alone."""
    batch = np.full((3, SIZE, SIZE, 3), 7, np.uint8)
    out = batch[1]
    assert decode(PICTURES[name], size=SIZE, out=out) is out
    np.testing.assert_array_equal(batch[1], decode(PICTURES[name], size=SIZE))
    assert (batch[[0, 2]] == 7).all()


@pytest.mark.parametrize(
    "out",
    [
        np.empty((SIZE, SIZE, 4), np.uint8),
        np.empty((SIZE, SIZE, 3), np.float32),
        np.empty((SIZE, 2 * SIZE, 3), np.uint8)[:, ::2],
    ],
    ids=["shape", "dtype", "strides"],
)
def test_refuses_an_array_that_it_would_not_fill(out):
    """OpenCV would take another array in silence, and the caller would keep an empty one."""
    with pytest.raises(ValueError, match="out must be a contiguous uint8"):
        decode(PICTURES["png"], size=SIZE, out=out)


@pytest.mark.parametrize("name", PICTURES)
def test_takes_a_view_for_bytes(name):
    """A view of a larger buffer is decoded like a copy of it."""
    view = memoryview(b"before" + PICTURES[name] + b"behind")[6:-6]
    np.testing.assert_array_equal(decode(view, size=SIZE), decode(PICTURES[name], size=SIZE))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_limits_come_before_any_decoder(kind, monkeypatch):
    """What the header condemns never reaches a decoder: OpenCV would take 5 GB for a bomb."""

    def reached(*_: object) -> None:
        raise AssertionError("a decoder was reached")

    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", reached)
    monkeypatch.setattr(cv2, "imdecode", reached)
    monkeypatch.setattr(PngImageFile, "load", reached)
    data = written_by_pillow(kind)
    with pytest.raises(TooManyPixels):
        decode(data, size=SIZE, limits=Limits(max_pixels=64 * 48 - 1))
    with pytest.raises(ImageTooLarge):
        decode(data, size=SIZE, limits=Limits(max_image_bytes=len(data) - 1))


def test_a_large_jpeg_loses_nothing_that_the_square_shows():
    """Reducing on the way costs no more than a shade, as the last shrink is still an average of pixels."""
    data = written_by_pillow("JPEG", size=(2000, 1500))
    whole = np.asarray(Image.open(io.BytesIO(data)))
    side = 1500 * SIZE // (SIZE + 32)
    top, left = (1500 - side) // 2, (2000 - side) // 2
    expected = cv2.resize(
        whole[top : top + side, left : left + side], (SIZE, SIZE), interpolation=cv2.INTER_AREA
    )
    assert np.abs(decode(data, size=SIZE).astype(int) - expected).max() <= 4


def test_does_not_keep_or_change_the_bytes():
    """The same bytes give the same square, twice."""
    data = whole_png()
    first = decode(bytearray(data), size=SIZE).copy()
    np.testing.assert_array_equal(first, decode(data, size=SIZE))
