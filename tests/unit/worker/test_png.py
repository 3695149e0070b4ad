"""Every kind of PNG, sample by sample, against values computed here from what the specification says."""

import io
import zlib

import kornia_rs.io
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from iraas.errors import UndecodableImage
from iraas.intake.inspect import inspect
from iraas.testing.png_writer import chunk, ihdr, png, scanlines, write_png, zeros_stream
from iraas.worker.png import careful_samples, fast_samples, is_plain, png_samples
from iraas.worker.preprocess import over_white

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
KINDS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)]
HEIGHT, WIDTH = 37, 29  # no multiples of 8: Adam7's passes and packed rows end unevenly

each_kind = pytest.mark.parametrize(("colour_type", "bit_depth"), KINDS)
each_interlacing = pytest.mark.parametrize("interlaced", [False, True], ids=["rows", "adam7"])


def noise(colour_type: int, bit_depth: int) -> np.ndarray:
    """[h, w, channels] of samples; every alpha occurs with dark, bright and middling colours."""
    shape = (HEIGHT, WIDTH, CHANNELS[colour_type])
    return np.random.default_rng(bit_depth).integers(0, 1 << bit_depth, shape)


def on_white(samples: np.ndarray, colour_type: int, bit_depth: int) -> np.ndarray:
    """float[h, w, 3], 0 to 255: what a person sees on a white page."""
    unit = samples / ((1 << bit_depth) - 1)
    colours, alpha = (unit[..., :-1], unit[..., -1:]) if colour_type in (4, 6) else (unit, 1.0)
    seen = colours * alpha + 1 - alpha
    return np.broadcast_to(seen * 255, (*samples.shape[:2], 3))


def seen(data: bytes) -> np.ndarray:
    """uint8[h, w, 3] as the product has it."""
    picture = over_white(png_samples(data, inspect(data)))
    return np.broadcast_to(picture[..., None], (*picture.shape, 3)) if picture.ndim == 2 else picture


@each_interlacing
@each_kind
def test_every_sample_is_right(colour_type, bit_depth, interlaced):
    """Grey, colours and alpha at every depth come out as a person would see them: alpha on white.

    8 bits and fewer are exact. Of 16 bits the upper 8 are taken, so colours are right to less than 1 of 255,
    and less than 2 once alpha is cut as well.
    """
    samples = noise(colour_type, bit_depth)
    data = write_png(samples, colour_type=colour_type, bit_depth=bit_depth, interlaced=interlaced)
    error = np.abs(seen(data) - on_white(samples, colour_type, bit_depth)).max()
    assert error <= (0.5 if bit_depth <= 8 else 2 if colour_type in (4, 6) else 1)


@each_interlacing
@pytest.mark.parametrize("alphas", [b"", bytes([0, 80, 255])], ids=["opaque", "alpha"])
@pytest.mark.parametrize("bit_depth", [1, 2, 4, 8])
def test_palettes_are_painted_with_their_alpha_on_white(bit_depth, alphas, interlaced):
    """Each index becomes its colour; the alphas of tRNS hold for the first entries, others are opaque."""
    entries = 1 << bit_depth
    palette = np.random.default_rng(9).integers(0, 256, (entries, 3), np.uint8)
    alphas = alphas[:entries]
    before = [chunk(b"PLTE", palette.tobytes()), *([chunk(b"tRNS", alphas)] if alphas else [])]
    indices = noise(3, bit_depth)[..., 0]
    data = write_png(indices, colour_type=3, bit_depth=bit_depth, interlaced=interlaced, before=before)

    alpha = np.full((entries, 1), 255)
    alpha[: len(alphas), 0] = list(alphas)
    expected = on_white(np.concatenate([palette, alpha], axis=1)[indices], 6, 8)
    assert np.abs(seen(data) - expected).max() <= 0.5


def test_an_index_beyond_the_palette_is_black():
    """Such a file is wrong and common enough; browsers show black, and so do we."""
    indices = np.array([[0, 1, 255]])
    data = write_png(indices, colour_type=3, before=[chunk(b"PLTE", b"\x0a\x14\x1e\x28\x32\x3c")])
    assert seen(data).tolist() == [[[10, 20, 30], [40, 50, 60], [0, 0, 0]]]


@each_interlacing
@pytest.mark.parametrize(("colour_type", "bit_depth"), [kind for kind in KINDS if kind[0] in (0, 2)])
def test_the_transparent_shade_is_white_and_no_other(colour_type, bit_depth, interlaced):
    """A tRNS key hides exactly the pixels of that shade at their full depth, 16 bits included."""
    samples = noise(colour_type, bit_depth) // 2
    key = np.full(CHANNELS[colour_type], (1 << bit_depth) - 1) // 2  # dark enough to be told from white
    samples[::3, ::3] = key
    samples[1::3, 1::3] = key
    samples[1::3, 1::3, -1] ^= 1  # next to the key in the lowest bit of one channel: not the key
    trns = chunk(b"tRNS", key.astype(">u2").tobytes())
    data = write_png(
        samples, colour_type=colour_type, bit_depth=bit_depth, interlaced=interlaced, before=[trns]
    )

    expected = on_white(samples, colour_type, bit_depth).copy()
    expected[(samples == key).all(axis=2)] = 255
    assert np.abs(seen(data) - expected).max() < (1 if bit_depth == 16 else 0.5)


def test_only_the_bits_of_the_depth_count_in_a_key():
    """The specification says so: a grey key of 0xFF02 at 2 bits is shade 2."""
    data = write_png([[0, 1, 2, 3]], colour_type=0, bit_depth=2, before=[chunk(b"tRNS", b"\xff\x02")])
    assert seen(data)[0, :, 0].tolist() == [0, 85, 255, 255]


@pytest.mark.parametrize("colour_type", [0, 2, 6])
def test_both_roads_lead_to_the_same_samples(colour_type, cat):
    """What the fast road decodes, the careful road decodes to the very same samples."""
    data = Image.open(cat).convert({0: "L", 2: "RGB", 6: "RGBA"}[colour_type])
    if colour_type == 6:
        data.putalpha(Image.linear_gradient("L").resize(data.size))
    file = io.BytesIO()
    data.save(file, "PNG")  # all five row filters, unlike our own writer
    png_bytes = file.getvalue()
    header = inspect(png_bytes)
    assert is_plain(header)

    fast = fast_samples(png_bytes, header)
    np.testing.assert_array_equal(fast, np.asarray(data))
    np.testing.assert_array_equal(fast, careful_samples(png_bytes, header))


@pytest.mark.parametrize(
    "data",
    [
        write_png(noise(2, 16), colour_type=2, bit_depth=16),
        write_png(noise(2, 8), colour_type=2, interlaced=True),
        write_png(noise(2, 8), colour_type=2, before=[chunk(b"tRNS", bytes(6))]),
        write_png(noise(4, 8), colour_type=4),
        write_png(noise(0, 4), colour_type=0, bit_depth=4),
    ],
    ids=["16 bits", "interlaced", "key", "grey alpha", "4 bits"],
)
def test_the_fast_road_is_only_for_plain_pictures(data, monkeypatch):
    """Whatever kornia-rs is not exact for never goes there."""
    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", None)
    png_samples(data, inspect(data))


@pytest.mark.parametrize("colour_type", [2, 4], ids=["fast", "careful"])
def test_damage_is_refused_in_words(colour_type):
    """A flipped bit, missing rows, a cut stream and an unknown filter are an `UndecodableImage` on both roads."""
    header = ihdr(WIDTH, HEIGHT, colour_type=colour_type)
    rows = scanlines(noise(colour_type, 8), bit_depth=8)
    stream = zlib.compress(rows)
    flipped = bytearray(png(header, chunk(b"IDAT", stream)))
    flipped[len(flipped) // 2] ^= 4
    for data in (
        bytes(flipped),
        png(header, chunk(b"IDAT", zlib.compress(rows[: len(rows) // 2]))),
        png(header, chunk(b"IDAT", zlib.compress(rows[:-1]))),
        png(header, chunk(b"IDAT", stream[: len(stream) // 2])),
        png(header, chunk(b"IDAT", zlib.compress(b"\x05" + rows[1:]))),
        png(header, chunk(b"IDAT", b"not deflated")),
    ):
        with pytest.raises(UndecodableImage, match="the PNG is damaged"):
            png_samples(data, inspect(data))


@pytest.mark.parametrize("colour_type", [2, 4], ids=["fast", "careful"])
def test_nobody_inflates_behind_the_last_row(colour_type):
    """A stream that goes on for gigabytes costs what its picture costs; libpng would inflate it all."""
    endless = zeros_stream(8 * (1 + 8 * CHANNELS[colour_type]) + 5_000_000_000)
    data = png(ihdr(8, 8, colour_type=colour_type), chunk(b"IDAT", endless))
    assert len(png_samples(data, inspect(data))) == 8


@pytest.mark.parametrize("colour_type", [2, 4], ids=["fast", "careful"])
def test_decoders_see_only_what_pixels_are_made_of(colour_type, monkeypatch):
    """A profile or a comment that inflates to gigabytes is not given to a decoder, which might inflate it."""
    seen_bytes = []

    def fast(data: bytes, size: tuple[int, int], mode: str) -> np.ndarray:
        seen_bytes.append(data)
        return np.zeros((*size, 3), np.uint8)

    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", fast)
    monkeypatch.setattr("iraas.worker.png.BytesIO", lambda data: seen_bytes.append(data) or io.BytesIO(data))
    bombs = [chunk(b"iCCP", b"name\x00\x00bomb"), chunk(b"zTXt", b"name\x00\x00bomb")]
    lean = write_png(noise(colour_type, 8), colour_type=colour_type)
    fat = write_png(noise(colour_type, 8), colour_type=colour_type, before=bombs) + b"<html>"
    png_samples(fat, inspect(fat))
    assert seen_bytes == [lean]


class Panic(BaseException):
    """As a panic in Rust arrives in Python."""


@pytest.mark.parametrize("thrown", [Panic, ValueError])
def test_a_panic_is_a_damaged_picture(thrown, monkeypatch):
    """kornia-rs panics on nonsense with a `BaseException`, which must not end the worker."""

    def panic(*_: object) -> None:
        raise thrown

    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", panic)
    data = write_png(noise(2, 8), colour_type=2)
    with pytest.raises(UndecodableImage):
        png_samples(data, inspect(data))


@pytest.mark.parametrize("thrown", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("colour_type", [2, 4], ids=["fast", "careful"])
def test_the_end_of_the_process_is_no_damage(thrown, colour_type, monkeypatch):
    """Ctrl-C, an exit and a lack of memory pass through: they say nothing about the picture."""

    def end(*_: object) -> None:
        raise thrown

    monkeypatch.setattr(kornia_rs.io, "decode_image_png_u8", end)
    monkeypatch.setattr(PngImageFile, "load", end)
    data = write_png(noise(colour_type, 8), colour_type=colour_type)
    with pytest.raises(thrown):
        png_samples(data, inspect(data))
