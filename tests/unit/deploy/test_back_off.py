from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "src/iraas/deploy/back-off.sh"


class Starts:
    """A service's starts, on a clock that stands still but for its waits."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_800_000_000  # Unix seconds
        self.file = folder / "iraas-web.starts"
        self._clock = folder / "now"
        self._waits = folder / "waits"
        self._programs = folder / "bin"
        self._programs.mkdir()
        self._program(
            "sleep", f'echo "$1" >>{self._waits}; echo $(($(cat {self._clock}) + $1)) >{self._clock}'
        )
        self._program("date", f"cat {self._clock}")

    def _program(self, name: str, does: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def start(self, *, after: int) -> int:
        """Start, `after` seconds of running -> the seconds of waiting before."""
        self.now += after
        self._clock.write_text(f"{self.now}\n")
        path = f"{self._programs}:/usr/bin:/bin"
        subprocess.run([SCRIPT, self.file], env={"PATH": path}, check=True, timeout=30)
        wait = int(self._waits.read_text().split()[-1])
        self.now += wait
        return wait


@pytest.fixture
def starts(tmp_path: Path) -> Starts:
    return Starts(tmp_path)


def test_who_fails_again_and_again_waits_twice_as_long(starts: Starts) -> None:
    """Nobody waits at first; with systemd's own second, then 2 s, 4 s, 8 s ... and never more than 32 s."""
    waits = [starts.start(after=1) for _ in range(9)]

    assert waits == [0, 1, 3, 7, 15, 31, 31, 31, 31]


def test_who_ran_for_a_minute_starts_at_once(starts: Starts) -> None:
    """A single death after hours of work costs no time."""
    for _ in range(4):
        starts.start(after=1)

    assert starts.start(after=60) == 0
    assert starts.start(after=59) == 1


def test_a_clock_that_was_set_back_stops_nobody(starts: Starts) -> None:
    """A start that seems to be in the future is one that was just now: the next waits a second."""
    starts.start(after=0)

    assert starts.start(after=-86_400) == 1


def test_an_empty_file_is_no_start(starts: Starts) -> None:
    """Killed while it wrote: the next start waits not, and the one after it does again."""
    starts.file.touch()

    assert [starts.start(after=1) for _ in range(3)] == [0, 1, 3]
