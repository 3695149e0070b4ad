"""samples of a picture -> uint8[size, size, 3]: crop the middle, lay it over white, resize.

What the crop leaves out is never composited.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8]  # [h, w] grey, [h, w, 3], or [h, w, 4] whose fourth channel is alpha
Square = NDArray[np.uint8]  # [size, size, 3]

_OPAQUE = 255
_STRIP_ROWS = 256  # composited at a time: alpha in three channels costs as much memory as the colours
_AREA_BEYOND = 2  # times: up to here INTER_LINEAR is as accurate and 0.45 core-ms cheaper; beyond, it aliases


def square(samples: Samples, *, crop_margin: int, out: Square) -> None:
    """Fill `out`, uint8[size, size, 3], with the middle of a picture; its colours keep their order.

    The crop has a side of min(w, h) * size / (size + crop_margin), as in the models' training.
    """
    size = len(out)
    crop = over_white(_middle(samples, size, crop_margin))
    how = cv2.INTER_AREA if len(crop) > _AREA_BEYOND * size else cv2.INTER_LINEAR
    if crop.ndim == 2:
        cv2.cvtColor(cv2.resize(crop, (size, size), interpolation=how), cv2.COLOR_GRAY2RGB, dst=out)
    else:
        cv2.resize(crop, (size, size), dst=out, interpolation=how)


def over_white(samples: Samples) -> Samples:
    """The picture as it looks on a white page, without alpha: what alpha hides stays hidden."""
    if samples.ndim == 2 or samples.shape[2] == 3:
        return samples
    height, width = samples.shape[:2]
    page = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        strip, rows = samples[top : top + _STRIP_ROWS], page[top : top + _STRIP_ROWS]
        alpha = cv2.cvtColor(cv2.extractChannel(strip, 3), cv2.COLOR_GRAY2BGR)
        cv2.cvtColor(strip, cv2.COLOR_BGRA2BGR, dst=rows)
        cv2.multiply(rows, alpha, dst=rows, scale=1 / _OPAQUE)
        cv2.add(rows, cv2.bitwise_not(alpha), dst=rows)  # white shines through by what is missing to opaque
    return page


def _middle(samples: Samples, size: int, crop_margin: int) -> Samples:
    height, width = samples.shape[:2]
    side = max(1, min(height, width) * size // (size + crop_margin))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    return samples[top : top + side, left : left + side]
