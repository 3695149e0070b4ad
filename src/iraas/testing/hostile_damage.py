"""Pictures that a disk, a wire or a patient attacker damaged: cut, flipped, and wrong within a whole frame."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import compress

import numpy as np
from PIL import Image

from iraas.testing.png_writer import chunk, ihdr, png, scanlines
from iraas.testing.specimen import DAMAGED, EITHER, FINE, Specimen, whole_png, written_by_pillow


def cut_pngs(places: int = 100) -> Iterator[Specimen]:
    """A PNG that ends too early, at places from its first byte to its last."""
    whole = whole_png()
    for number in range(places):
        end = 1 + number * (len(whole) - 2) // (places - 1)
        yield Specimen(f"cut-at-{end}.png", whole[:end], DAMAGED)


def flipped_pngs(places: int = 1000) -> Iterator[Specimen]:
    """A PNG with one bit flipped. Only what no pixel depends on may be flipped unnoticed."""
    whole = whole_png()
    for place in _bits(whole, places, seed=2):
        yield Specimen(f"bit-{place}.png", _flip(whole, place), EITHER)


def flipped_streams(places: int = 200) -> Iterator[Specimen]:
    """Bits flipped within the compressed pixels, and all checksums right again: a decoder's own test."""
    for colour_type, channels in ((2, 3), (4, 2)):
        picture = np.random.default_rng(3).integers(0, 200, (40, 40, channels))
        stream = compress(scanlines(picture, bit_depth=8))
        for place in _bits(stream, places // 2, seed=4):
            idat = chunk(b"IDAT", _flip(stream, place))
            data = png(ihdr(40, 40, colour_type=colour_type), idat)
            yield Specimen(f"stream-{colour_type}-bit-{place}.png", data, EITHER)


def wrong_within() -> Iterator[Specimen]:
    """PNGs whose frame is whole and whose content is not."""
    rows = scanlines(np.full((8, 8, 3), 120), bit_depth=8)
    idat, palette = chunk(b"IDAT", compress(rows)), chunk(b"PLTE", bytes(range(6)))
    indices = chunk(b"IDAT", compress(scanlines(np.full((8, 8), 1), bit_depth=8)))
    indexed = ihdr(8, 8, colour_type=3)
    for name, data in (
        ("filter-type-5", png(ihdr(8, 8), chunk(b"IDAT", compress(b"\x05" + rows[1:])))),
        ("a-row-too-few", png(ihdr(8, 9), idat)),
        ("a-byte-too-few", png(ihdr(8, 8), chunk(b"IDAT", compress(rows[:-1])))),
        ("not-deflate", png(ihdr(8, 8), chunk(b"IDAT", rows))),
        ("no-idat", png(ihdr(8, 8))),
        ("no-palette", png(indexed, indices)),
        ("two-palettes", png(indexed, palette, palette, indices)),
        ("palette-of-7-bytes", png(indexed, chunk(b"PLTE", bytes(7)), indices)),
        ("more-alphas-than-colours", png(indexed, palette, chunk(b"tRNS", bytes(3)), indices)),
        ("half-a-key", png(ihdr(8, 8), chunk(b"tRNS", bytes(5)), idat)),
        ("two-headers", png(ihdr(8, 8), ihdr(8, 8), idat)),
        ("no-header", png(idat)),
        ("unknown-critical-chunk", png(ihdr(8, 8), chunk(b"NEWS", b"?"), idat)),
        ("chunk-of-4-gigabytes", png(ihdr(8, 8), b"\xff\xff\xff\xffIDAT")),
        ("interlaced-by-7", png(chunk(b"IHDR", ihdr(8, 8)[8:-5] + b"\x07"), idat)),
    ):
        yield Specimen(f"{name}.png", data, DAMAGED)
    beyond = chunk(b"IDAT", compress(scanlines(np.full((8, 8), 255), bit_depth=8)))
    yield Specimen("index-beyond-the-palette.png", png(indexed, palette, beyond), FINE)


def cut_and_flipped_others(places: int = 40) -> Iterator[Specimen]:
    """JPEG and WebP, still, animated and lossless, cut short and with bits flipped."""
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("teal", "navy")]
    for name, whole in (
        ("still.jpg", written_by_pillow("JPEG")),
        ("progressive.jpg", written_by_pillow("JPEG", progressive=True)),
        ("lossy.webp", written_by_pillow("WEBP")),
        ("lossless.webp", written_by_pillow("WEBP", lossless=True)),
        ("animated.webp", written_by_pillow("WEBP", save_all=True, append_images=frames)),
    ):
        for number in range(places):
            end = 1 + number * (len(whole) - 2) // (places - 1)
            outcomes = DAMAGED if end >= 12 else EITHER
            yield Specimen(f"cut-at-{end}-{name}", whole[:end], outcomes)
        for place in _bits(whole, places, seed=6):
            yield Specimen(f"bit-{place}-{name}", _flip(whole, place), EITHER)


def _flip(data: bytes, place: int) -> bytes:
    flipped = bytearray(data)
    flipped[place // 8] ^= 1 << place % 8
    return bytes(flipped)


def _bits(data: bytes, count: int, *, seed: int) -> list[int]:
    """Places of `count` different bits, in order."""
    return sorted(np.random.default_rng(seed).choice(8 * len(data), count, replace=False).tolist())
