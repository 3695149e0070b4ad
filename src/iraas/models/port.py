"""The model port: pixels -> probabilities. What it promises is numbered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # [N, S, S, 3], RGB
Probabilities = NDArray[np.float32]  # [N, K], each row sums to 1


class Label(NamedTuple):
    """A class's name and its WordNet id (empty for models of other worlds)."""

    wnid: str
    name: str


class Model(Protocol):
    """A classifier that is ready to run.

    1. `classify` gives the same row for the same picture, whatever else is in the batch.
    2. Each row holds one probability for each label, in the labels' order, and sums to 1 (± 1e-3).
    3. `fingerprint` changes when weights or preprocessing change, and only then.
    4. `classify` takes 1 to `max_batch` pictures and does not keep or change the array.
    """

    name: str
    size: int  # pixels a side
    crop_margin: int  # the crop is min(w, h) * size / (size + crop_margin)
    labels: Sequence[Label]
    fingerprint: str  # eight hexadecimal digits
    max_batch: int

    def classify(self, pixels: Pixels) -> Probabilities:
        """uint8[N, S, S, 3] -> float32[N, K] probabilities. Blocks; call it from one thread at a time."""
        ...
