"""How a worker works: seconds a picture, how many it receives and finishes at once; pure."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One worker's pace. With `receive` and `batch` of 1 it is the server of queueing theory."""

    seconds: float = 0.02  # that one picture keeps a worker busy, on the average
    distribution: Literal["constant", "exponential"] = "constant"
    receive: int = 1  # pictures that a worker takes from the queue at once; they are in flight from then on
    batch: int = 1  # pictures that are finished together: the first one's answer waits for the last

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not 0 < self.seconds < math.inf:
            raise ValueError(f"service: {self.seconds:g} is no time for a picture; give seconds above 0")
        if not 1 <= self.batch <= self.receive:
            raise ValueError(f"service: a batch of {self.batch} of {self.receive} received cannot be; 1 <= batch <= receive")

    def draw(self, count: int, rng: np.random.Generator) -> list[float]:
        """Seconds for each of so many pictures."""
        if self.distribution == "constant":
            return [self.seconds] * count
        drawn: list[float] = (rng.standard_exponential(count) * self.seconds).tolist()
        return drawn


def of_our_worker(seconds: float) -> Service:
    """A worker as `iraas.worker` is: eight at once, finished when they are eight or took a tenth of a second."""
    return Service(seconds=seconds, receive=8, batch=min(8, max(1, math.ceil(0.1 / seconds))))
