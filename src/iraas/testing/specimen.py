"""A hostile picture, the outcomes that are right for it, and whole pictures to damage."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from iraas.testing.png_writer import chunk, write_png

ANSWERED = "answered"  # the picture gets labels
FINE = frozenset({ANSWERED})
DAMAGED = frozenset({"undecodable-image"})
UNSUPPORTED = frozenset({"unsupported-media-type"})
TOO_LARGE = frozenset({"image-too-large"})
TOO_MANY_PIXELS = frozenset({"too-many-pixels"})
TOO_MANY_CHUNKS = frozenset({"too-many-chunks"})
EITHER = FINE | DAMAGED | UNSUPPORTED | TOO_MANY_PIXELS | TOO_MANY_CHUNKS  # but never a crash


class Specimen(NamedTuple):
    """A picture that is sent, and the outcomes that are right: slugs of `iraas.errors`, or `ANSWERED`."""

    name: str  # as a file's
    data: bytes
    outcomes: frozenset[str]


def whole_png() -> bytes:
    """A whole PNG of 64 x 48 in nine IDATs with a comment before and behind them: what is damaged below."""
    across, down = np.meshgrid(np.arange(64), np.arange(48))
    noise = np.random.default_rng(1).integers(0, 32, (48, 64))
    picture = np.stack([across * 3 + noise, down * 4 + noise, (across + down) * 2], axis=-1)
    whole = write_png(picture, colour_type=2, before=[chunk(b"tEXt", b"Comment\x00before")], idat_bytes=700)
    return whole[:-12] + chunk(b"tEXt", b"Comment\x00behind") + whole[-12:]


def written_by_pillow(kind: str, *, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A colour gradient as Pillow writes it."""
    gradient = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (gradient, gradient.rotate(180), Image.new("L", size, 99)))
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
