"""How a worker works: seconds a picture, how many it receives and finishes at once; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
import numpy as np

Distribution = Literal["constant", "exponential"]

STOCK = 65_536  # service times drawn at once


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One worker's pace. With `receive` and `batch` of 1 it is the server of queueing theory. Raises `ValueError`."""

    seconds: float = 0.02  # that one picture keeps a worker busy, on the average
    distribution: Distribution = "constant"
    receive: int = 1  # pictures that a worker takes from the queue at once; they are in flight from then on
    batch: int = 1  # pictures that are finished together: the first one's answer waits for the last

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `ValueError`."""
        if not 0 < self.seconds < math.inf:
            raise ValueError(f"service: {self.seconds:g} is no time for a picture; give seconds above 0")
        if self.distribution not in get_args(Distribution):
            raise ValueError(
                f"service-dist: {self.distribution!r} is not known; use {' or '.join(get_args(Distribution))}"
            )
        if not 1 <= self.batch <= self.receive:
            raise ValueError(
                f"service: a batch of {self.batch} of {self.receive} received cannot be; 1 <= batch <= receive"
            )

    @property
    def held(self) -> float:
        """Pictures that a worker holds on the average while more wait: from `receive` down to a batch."""
        return (self.receive + self.batch) / 2


class ServiceTimes:
    """Seconds for picture after picture, from a stock; what was taken and not used is used next."""

    def __init__(self, service: Service, rng: np.random.Generator) -> None:
        self._seconds = service.seconds
        self._constant = service.distribution == "constant"
        self._rng = rng
        self._stock: list[float] = []  # the next one last

    def take(self, count: int) -> list[float]:
        """So many."""
        if self._constant:
            return [self._seconds] * count
        stock = self._stock
        if len(stock) < count:
            stock[:0] = (self._rng.standard_exponential(max(STOCK, count)) * self._seconds).tolist()
        taken = stock[-count:] if count else []
        taken.reverse()
        del stock[len(stock) - count :]
        return taken

    def give_back(self, times: Sequence[float]) -> None:
        """The last ones of what was taken."""
        if not self._constant:
            self._stock.extend(reversed(times))


def of_our_worker(seconds: float) -> Service:
    """A worker as `iraas.worker` is: at most eight in hand and a fifth of a second of work, finished every tenth."""
    receive = max(1, min(8, round(0.2 / seconds)))
    return Service(seconds=seconds, receive=receive, batch=min(receive, max(1, math.ceil(0.1 / seconds))))
