"""request -> what a proxy does to it: nothing, mostly; else a fault, by a script or by a seeded dice."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


class Request(NamedTuple):
    """What came: enough to tell which operation of AWS it was."""

    method: str
    path: str  # with its query
    target: str  # the header `x-amz-target`; empty for S3
    queue: str = ""  # the name of the queue that a request to SQS is about, or the beginning of names


class Fault(Enum):
    """What can happen to a request."""

    NONE = "it passes"
    REFUSED = "503 from the service, before the effect"
    LOST = "the connection breaks before the effect"
    REPLY_LOST = "the connection breaks after the effect"
    CUT = "the connection breaks in the middle of the response"
    DELAYED = "it passes, later"


FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)


class Plan:
    """First `script`, one for each request; then one of `faults` with the probability `rate`.

    All may be changed while a proxy runs. The dice is seeded, the order of requests is not: two runs see
    as many faults, and not the same ones.
    """

    def __init__(
        self,
        *,
        rate: float = 0.0,
        seed: int = 0,
        faults: Sequence[Fault] = FAULTS,
        delay: float = 0.2,
    ) -> None:
        self.rate = rate
        self.faults = faults
        self.delay = delay  # seconds
        self.script: deque[Fault] = deque()
        self._dice = random.Random(seed)  # noqa: S311 - faults, not secrets

    def fault(self) -> Fault:
        """What happens to the next request."""
        if self.script:
            return self.script.popleft()
        if self._dice.random() < self.rate:
            return self._dice.choice(self.faults)
        return Fault.NONE
