"""The hostile set: what comes in when somebody means harm, or a disk does. Each picture, and what it may get.

    kind() --lazily--> Specimen(name, data, outcomes)

Everything is made in code, the same every time. `hostile_pictures()` yields all of it, one at a time: some
weigh ten megabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from iraas.testing import hostile_bombs as bombs
from iraas.testing import hostile_damage as damage
from iraas.testing.png_writer import write_png
from iraas.testing.specimen import (
    ANSWERED,
    DAMAGED,
    FINE,
    TOO_LARGE,
    UNSUPPORTED,
    Specimen,
    whole_png,
    written_by_pillow,
)

__all__ = ["ANSWERED", "KINDS", "Specimen", "hostile_pictures"]

_LARGEST = 10_000_000  # bytes, by default


def not_what_they_seem() -> Iterator[Specimen]:
    """Pictures under other names, others under a picture's name, and pages of HTML."""
    page = b"<!doctype html><script>alert(document.domain)</script>"
    yield Specimen("a-jpeg-called.png", written_by_pillow("JPEG"), FINE)
    yield Specimen("a-png-called.html", whole_png(), FINE)
    yield Specimen("html-behind-a-png.png", whole_png() + page, FINE)
    yield Specimen("a-png-behind-html.png", page + whole_png(), UNSUPPORTED)
    yield Specimen("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', UNSUPPORTED)
    yield Specimen(
        "drawing.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', UNSUPPORTED
    )
    for kind in ("GIF", "BMP", "TIFF", "ICO"):
        yield Specimen(f"{kind.lower()}-called.png", written_by_pillow(kind), UNSUPPORTED)
    yield Specimen("noise.png", np.random.default_rng(5).bytes(5_000), UNSUPPORTED)
    yield Specimen("text-mode.png", whole_png().replace(b"\r\n", b"\n"), UNSUPPORTED)


def of_a_wrong_size() -> Iterator[Specimen]:
    """Nothing, next to nothing, and one byte too much."""
    yield Specimen("empty.png", b"", frozenset({"empty-image"}))
    yield Specimen("one-byte.png", b"\x89", DAMAGED)
    yield Specimen("signature-only.png", whole_png()[:8], DAMAGED)
    yield Specimen("10-megabytes-and-a-byte.png", whole_png().ljust(_LARGEST + 1, b"\x00"), TOO_LARGE)
    yield Specimen("10-megabytes.png", whole_png().ljust(_LARGEST, b"\x00"), FINE)
    for width, height in ((1, 1), (12_000, 1), (1, 12_000)):
        data = write_png(np.full((height, width, 3), 77), colour_type=2)
        yield Specimen(f"{width}x{height}.png", data, FINE)


KINDS: tuple[Callable[[], Iterator[Specimen]], ...] = (
    damage.cut_pngs,
    damage.flipped_pngs,
    damage.flipped_streams,
    damage.wrong_within,
    damage.cut_and_flipped_others,
    bombs.too_many_pixels,
    bombs.too_many_chunks,
    bombs.bombs_beside_the_pixels,
    bombs.drawn_over_and_over,
    bombs.as_much_as_is_allowed,
    not_what_they_seem,
    of_a_wrong_size,
)


def hostile_pictures() -> Iterator[Specimen]:
    """Every specimen of every kind."""
    for kind in KINDS:
        yield from kind()
