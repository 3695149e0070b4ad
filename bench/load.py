"""A URL and pictures -> the generator's process -> its report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.folders import ROOT


class Asked(NamedTuple):
    """One request, as its client saw it."""

    begun: float  # monotonic seconds; under an open load, when it was due
    seconds: float
    status: int  # 0: no answer


class Report(NamedTuple):
    """What a generator saw."""

    seconds: float  # from the first request to the last answer
    cpu_seconds: float  # of the generator itself
    answers: list[Asked]

    @property
    def failures(self) -> int:
        """Requests that got no label."""
        return sum(asked.status != 200 for asked in self.answers)


class Load:
    """A generator at work. `begun` is when it sent its first request, in monotonic seconds."""

    def __init__(
        self, url: str, pictures: Path, *, seconds: float, connections: int = 1, rate: float | None = None
    ) -> None:
        how = ["--rate", str(rate)] if rate else ["--connections", str(connections)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.generator", url, str(pictures), "--seconds", str(seconds), *how],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.begun = float(self._process.stdout.readline())

    def report(self) -> Report:
        """Wait until it is over."""
        out, _ = self._process.communicate()
        said = json.loads(out)
        return Report(said["seconds"], said["cpu_seconds"], [Asked(*asked) for asked in said["answers"]])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def load(url: str, pictures: Path, *, seconds: float, connections: int) -> Report:
    """Keep `connections` requests under way for `seconds`."""
    with Load(url, pictures, seconds=seconds, connections=connections) as running:
        return running.report()
