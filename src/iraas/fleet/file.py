"""FleetState, FleetReport -> fleet.json -> the same, in another process."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from iraas.fleet.port import FleetReport, FleetState

READ_EVERY_SECONDS = 0.5


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the file holds."""

    in_service: int = 0
    starting: int = 0
    busy: int = 0
    draining: int = 0
    report: FleetReport = FleetReport()

    @property
    def state(self) -> FleetState:
        """How many workers there are."""
        return FleetState(self.in_service, self.starting, self.busy, self.draining)


class FleetFile:
    """The fleet's state in the data folder: the supervisor writes it, web processes read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = float("-inf")
        self._told = Told()

    def write(self, state: FleetState, report: FleetReport) -> None:
        """Say how the fleet is, in one step for every reader. Raises `OSError`."""
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode({**state._asdict(), "report": report}))
        fresh.replace(self._path)

    def state(self) -> FleetState:
        """The fleet as last heard of, at most half a second old."""
        return self._read().state

    def report(self) -> FleetReport:
        """What steers it, as last heard of; at most half a second old."""
        return self._read().report

    def saw(self, worker: str) -> None:
        """Nothing: the supervisor knows better than replies do."""

    def _read(self) -> Told:
        now = time.monotonic()
        if now - self._read_at > READ_EVERY_SECONDS:
            self._read_at = now
            try:
                self._told = msgspec.json.decode(self._path.read_bytes(), type=Told)
            except (OSError, msgspec.DecodeError):
                self._told = Told()
        return self._told
