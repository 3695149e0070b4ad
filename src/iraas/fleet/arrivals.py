"""pictures that came -> trace.csv, a line for each second that had some: what `iraas scaling recommend` reads.

time,count
1714200000,12
"""

from __future__ import annotations

from pathlib import Path

from iraas.clock import Clock
from iraas.telemetry import Log

MOST_BYTES = 10_000_000  # of a file: about six days of pictures in each second; then the next one begins


class ArrivalLog:
    """The latest traffic, in at most two files. A disk that is full loses lines, and nothing else."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._second = 0  # wall time, of the pictures that are not written yet
        self._count = 0
        self._failing = False

    def came(self, pictures: int) -> None:
        """So many pictures were accepted just now; to be told of none, too, or the last second waits for the next."""
        second = max(self._second, int(self._clock.time()))  # a clock that goes back must not undo the order
        if second > self._second:
            self.flush()
        self._second = second
        self._count += pictures

    def flush(self) -> None:
        """Write what is known of the latest second."""
        if not self._count:
            return
        line, self._count = f"{self._second},{self._count}\n", 0
        try:
            self._append(line)
            self._failing = False
        except OSError as error:
            if not self._failing:
                Log()("background.failed", level="warning", task="trace", error=str(error))
            self._failing = True

    def _append(self, line: str) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            size = 0
        if size + len(line) > MOST_BYTES:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            size = 0
        with self._path.open("ab", buffering=0) as file:
            written = file.write((line if size else f"time,count\n{line}").encode())
            if written != len(line) + (0 if size else len("time,count\n")):
                file.truncate(size)  # half a line would spoil the file for who reads it
