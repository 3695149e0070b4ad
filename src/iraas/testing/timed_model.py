"""A model that takes a given time for each picture, and whose answers can be told beforehand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence

import numpy as np

from iraas.models.port import Label, Pixels, Probabilities

CLASSES = 256
CERTAINTY = 0.745  # of the class that it sees; the others share the rest: 0.001 each


def burn(seconds: float) -> None:
    """Keep the processor busy, as a real model would."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


class TimedModel:
    """Answers `grey V`, V being the mean of a picture's pixels, after `seconds_per_picture` each.

    `wait` passes the time: `time.sleep` leaves the processor to others, `burn` does not.
    """

    crop_margin = 0  # the whole middle square
    max_batch = 8

    def __init__(
        self, seconds_per_picture: float = 0.0, *, size: int = 64, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = "timed"
        self.size = size
        self.labels: Sequence[Label] = tuple(Label("", f"grey {value}") for value in range(CLASSES))
        self.fingerprint = hashlib.sha256(f"timed {size}".encode()).hexdigest()[:8]
        self._seconds_per_picture = seconds_per_picture
        self._wait = wait

    def classify(self, pixels: Pixels) -> Probabilities:
        """uint8[N, S, S, 3] -> float32[N, 256], after N times the time of a picture."""
        self._wait(len(pixels) * self._seconds_per_picture)
        rows = np.full((len(pixels), CLASSES), (1 - CERTAINTY) / (CLASSES - 1), np.float32)
        rows[np.arange(len(pixels)), pixels.mean(axis=(1, 2, 3)).round().astype(int)] = CERTAINTY
        return rows
