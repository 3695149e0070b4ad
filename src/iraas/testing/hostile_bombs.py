"""Small files that ask for much: pixels, chunks, scans, and megabytes compressed where no pixel is."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import compress

import numpy as np

from iraas.testing.png_writer import chunk, ihdr, png, scanlines, zeros_stream
from iraas.testing.specimen import (
    DAMAGED,
    FINE,
    TOO_LARGE,
    TOO_MANY_CHUNKS,
    TOO_MANY_PIXELS,
    Specimen,
    written_by_pillow,
)

_MEGABYTE = 1_000_000


def too_many_pixels() -> Iterator[Specimen]:
    """Small files that ask for gigabytes."""
    width = height = 9_487  # 90 megapixels in 267 KB, all of them there
    pixels = chunk(b"IDAT", zeros_stream(height * (1 + 3 * width)))
    yield Specimen("90-megapixels.png", png(ihdr(width, height), pixels), TOO_MANY_PIXELS)
    tiny = chunk(b"IDAT", compress(b"\x00" * 4))
    for width, height in ((65_536, 32_768), (2**31 - 1, 2**31 - 1), (12_001, 1), (1, 12_001)):
        yield Specimen(f"claims-{width}x{height}.png", png(ihdr(width, height), tiny), TOO_MANY_PIXELS)
    for width, height in ((2**31, 1), (2**32 - 1, 2**32 - 1), (0, 0), (0, 7)):
        yield Specimen(f"claims-{width}x{height}.png", png(ihdr(width, height), tiny), DAMAGED)
    jpeg = written_by_pillow("JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    yield Specimen("claims-65535x65535.jpg", jpeg[:at] + b"\xff" * 4 + jpeg[at + 4 :], TOO_MANY_PIXELS)
    webp = written_by_pillow("WEBP", lossless=True)
    yield Specimen("claims-16384x16384.webp", webp[:21] + b"\xff\xff\xff\x0f" + webp[25:], TOO_MANY_PIXELS)


def too_many_chunks() -> Iterator[Specimen]:
    """A PNG padded with chunks: each costs its reader time and its sender twelve bytes."""
    empty, header = chunk(b"IDAT"), ihdr(8, 8)
    pixels = compress(scanlines(np.zeros((8, 8, 3)), bit_depth=8))
    idat = chunk(b"IDAT", pixels)
    yield Specimen("800000-empty-idats.png", png(header, empty * 800_000), TOO_MANY_CHUNKS)
    yield Specimen("a-million-empty-idats.png", png(header, empty * 1_000_000), TOO_LARGE)
    yield Specimen("700000-idats-behind.png", png(header, idat, empty * 700_000), TOO_MANY_CHUNKS)
    yield Specimen(
        "5000-texts-before.png", png(header, chunk(b"tEXt", b"a\x00b") * 5_000, idat), TOO_MANY_CHUNKS
    )
    apart = b"".join(chunk(b"IDAT", pixels[at : at + 1]) + empty * 100 for at in range(len(pixels)))
    yield Specimen("a-byte-every-100-idats.png", png(header, apart), FINE)


def bombs_beside_the_pixels() -> Iterator[Specimen]:
    """Megabytes that are compressed where no pixel is; whoever inflates them pays, and nobody needs to."""
    idat = chunk(b"IDAT", compress(scanlines(np.full((8, 8, 3), 90), bit_depth=8)))
    bomb = zeros_stream(64 * _MEGABYTE)
    for name, before in (
        ("zTXt", chunk(b"zTXt", b"Comment\x00\x00" + bomb)),
        ("iTXt", chunk(b"iTXt", b"Comment\x00\x01\x00\x00\x00" + bomb)),
        ("iCCP", chunk(b"iCCP", b"profile\x00\x00" + bomb)),
    ):
        yield Specimen(f"64-megabytes-of-{name}.png", png(ihdr(8, 8), before, idat), FINE)
    million = chunk(b"acTL", (1_000_000).to_bytes(4, "big") + bytes(4))
    frame = chunk(b"fcTL", bytes(4) + b"\x00\x00\x00\x08" * 2 + bytes(8) + b"\x00\x01\x00\x0a\x00\x00")
    yield Specimen("a-million-frames.png", png(ihdr(8, 8), million, frame, idat), FINE)
    for name, colour_type, channels in (("rgb", 2, 3), ("grey-alpha", 4, 2)):
        endless = zeros_stream(8 * (1 + 8 * channels) + 9_000 * _MEGABYTE)
        data = png(ihdr(8, 8, colour_type=colour_type), chunk(b"IDAT", endless))
        yield Specimen(f"9-gigabytes-behind-the-last-row-{name}.png", data, FINE)


def drawn_over_and_over() -> Iterator[Specimen]:
    """A progressive JPEG that repeats its last scan: each takes 40 bytes, and a walk over all pixels."""
    jpeg = written_by_pillow("JPEG", size=(1_000, 1_000), progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    yield Specimen("1000-scans.jpg", jpeg[:-2] + last * 1_000 + jpeg[-2:], TOO_MANY_PIXELS)
    yield Specimen("60-scans.jpg", jpeg[:-2] + last * 50 + jpeg[-2:], FINE)


def as_much_as_is_allowed() -> Iterator[Specimen]:
    """25 megapixels of the kinds that cost a decoder the most memory and time, in 200 KB at most."""
    side = 5_000
    plain = zeros_stream(side * (1 + 3 * side))
    yield Specimen("25-megapixels.png", png(ihdr(side, side), chunk(b"IDAT", plain)), FINE)
    for name, colour_type, channels, before in (
        ("rgb-with-a-key", 2, 3, chunk(b"tRNS", bytes(6))),
        ("rgba", 6, 4, b""),
    ):
        header = ihdr(side, side, colour_type=colour_type, bit_depth=16)
        pixels = chunk(b"IDAT", zeros_stream(side * (1 + 2 * channels * side)))
        yield Specimen(f"25-megapixels-of-16-bit-{name}.png", png(header, before, pixels), FINE)
