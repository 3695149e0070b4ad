"""Small pictures for posting: whole ones, and one that only its decoder finds broken."""

from __future__ import annotations

from itertools import count

import numpy as np

from iraas.testing.png_writer import chunk, ihdr, png, write_png

_serial = count()


def grey(value: int, side: int = 64) -> bytes:
    """A PNG of one grey, 0 to 255; a timed model answers `grey VALUE`."""
    return write_png(np.full((side, side, 3), value), colour_type=2)


def fresh() -> bytes:
    """A picture whose bytes no test posted before."""
    comment = chunk(b"tEXt", b"Comment\x00" + str(next(_serial)).encode())
    return write_png(np.full((8, 8, 3), 99), colour_type=2, before=[comment])


def broken_within() -> bytes:
    """A PNG whose header is right and whose pixels are no zlib stream: accepted, then failed by a worker."""
    return png(ihdr(8, 8), chunk(b"IDAT", b"these are no pixels"))
