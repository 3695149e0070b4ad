"""scikit-image's photographs -> src/iraas/models/known_pictures/WNID.jpg, for `iraas models check`.

    python tools/cut_known_pictures.py

The windows were chosen so that each bundled model is sure of its answer (0.6 and more).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
from skimage import data

KNOWN_PICTURES = Path(__file__).parents[1] / "src" / "iraas" / "models" / "known_pictures"
QUALITY = 90  # of JPEG; about 20 KB a picture


class Window(NamedTuple):
    """A square of a photograph, and the class that it shows."""

    wnid: str
    photograph: str
    top: int  # pixels
    left: int  # pixels
    side: int  # pixels


WINDOWS = (
    Window("n02124075", "chelsea", top=3, left=179, side=269),  # a cat
    Window("n07920052", "coffee", top=45, left=21, side=320),  # an espresso
)


def main() -> None:
    """Cut and store each picture."""
    KNOWN_PICTURES.mkdir(exist_ok=True)
    for wnid, photograph, top, left, side in WINDOWS:
        rgb = getattr(data, photograph)()[top : top + side, left : left + side]
        path = KNOWN_PICTURES / f"{wnid}.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
