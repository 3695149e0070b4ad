"""The parts around a tier, in memory and on a manual clock."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from iraas.fleet.port import FleetReport, FleetState
from iraas.intake.inspect import Limits
from iraas.intake.submit import Intake
from iraas.telemetry import Telemetry
from iraas.testing.manual_clock import ManualClock
from iraas.testing.memory import MemoryQueue, MemoryResponseQueues
from iraas.testing.memory_blobs import MemoryBlobs


def png(colour: tuple[int, int, int] = (10, 200, 30), side: int = 24) -> bytes:
    """A small PNG of one colour."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), colour, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


class Parts:
    """What both tiers share."""

    def __init__(self, *, at_once: int = 1) -> None:
        self.clock = ManualClock()
        self.dead = MemoryQueue(clock=self.clock)
        self.requests = MemoryQueue(clock=self.clock, dead_letter=self.dead)
        self.responses = MemoryResponseQueues(clock=self.clock)
        self.inputs = MemoryBlobs(clock=self.clock, at_once=at_once)
        self.results = MemoryBlobs(clock=self.clock, at_once=at_once)
        self.telemetry = Telemetry()
        self.limits = Limits()

    def intake(self) -> Intake:
        """The way in, over these parts."""
        return Intake(
            inputs=self.inputs,
            results=self.results,
            requests=self.requests,
            clock=self.clock,
            limits=self.limits,
        )

    def counted(self, name: str) -> float:
        """The sum of a counter over its labels."""
        lines = self.telemetry.exposition().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + " ", name + "{"))
        )


class FixedFleet:
    """A fleet that stays as it is told to be."""

    def __init__(self, in_service: int) -> None:
        self._state = FleetState(in_service, 0)

    def state(self) -> FleetState:
        """As it was told."""
        return self._state

    def report(self) -> FleetReport:
        """Nobody steers it."""
        return FleetReport()

    def saw(self, worker: str) -> None:
        """It stays as it is."""


@pytest.fixture
def parts() -> Parts:
    """Queues, stores and a clock, in memory."""
    return Parts()
