"""photographs -> PNG files: what the load is made of, and what accuracy is measured on."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from skimage import data as photographs

from bench.folders import PHOTOS, PICTURES

LOAD_BYTES = range(250_000, 350_000)  # of a PNG for load: the goals are for 300 KB
LOAD_PICTURES = 24  # few enough that a short round sees each of them
SMALL_SIDE = 64  # pixels, for overload
SIDES = (500, 375)  # pixels, of a typical photograph of ImageNet


class Photo(NamedTuple):
    """A photograph as PNG, with the class that it shows."""

    wnid: str
    png: bytes


class Pictures(NamedTuple):
    """Folders of PNG files, and where they come from."""

    source: str
    load: Path  # about 300 KB each
    small: Path  # 64 pixels a side

    @property
    def mean_kb(self) -> float:
        """Of a picture for load."""
        sizes = [path.stat().st_size for path in self.load.iterdir()]
        return sum(sizes) / len(sizes) / 1000


def prepare() -> Pictures:
    """Write the folders anew, from the shared photographs, else from those that scikit-image brings."""
    pngs = [png for png in _candidates() if len(png) in LOAD_BYTES][:LOAD_PICTURES]
    load, small = PICTURES / "load", PICTURES / "small"
    shutil.rmtree(PICTURES, ignore_errors=True)
    for folder in (load, small):
        folder.mkdir(parents=True)
    for number, png in enumerate(pngs):
        (load / f"{number:02}.png").write_bytes(png)
        picture = Image.open(io.BytesIO(png)).resize((SMALL_SIDE, SMALL_SIDE))
        (small / f"{number:02}.png").write_bytes(_png(picture))
    source = "the shared photographs" if PHOTOS.is_dir() else "cuttings of scikit-image's photographs"
    return Pictures(f"{len(pngs)} PNGs of {source}", load, small)


def labelled() -> list[Photo]:
    """The shared photographs as PNG with their classes; empty where they are not."""
    return [Photo(path.name.split("_")[0], _png(Image.open(path))) for path in _shared()]


def _candidates() -> Iterator[bytes]:
    if PHOTOS.is_dir():
        yield from (_png(Image.open(path)) for path in _shared())
        return
    width, height = SIDES
    for name in ("chelsea", "coffee", "astronaut"):
        photo = Image.fromarray(np.asarray(getattr(photographs, name)()))
        scale = 1.3 * max(width / photo.width, height / photo.height)
        photo = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        for left in range(0, photo.width - width, 50):
            for top in range(0, photo.height - height, 50):
                yield _png(photo.crop((left, top, left + width, top + height)))


def _shared() -> list[Path]:
    return sorted(PHOTOS.glob("*.JPEG"))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG")
    return file.getvalue()
