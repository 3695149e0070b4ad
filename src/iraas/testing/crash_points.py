"""A process that kills itself, once, at a named step: `after results.put 3 FILE`.

The steps are those of the order in which answers are made safe: what is put, sent and deleted. FILE marks
that it happened, so that the process that takes over lives.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, Self, TypeVar

STEPS = (
    "inputs.put",
    "requests.send",
    "requests.receive",
    "inputs.get",
    "results.put",
    "responses.send",
    "requests.delete",
)

_T = TypeVar("_T")


class CrashPoint:
    """Where a process dies: before or after the n-th call of a step."""

    def __init__(self, when: Literal["before", "after"], step: str, count: int, mark: Path) -> None:
        self._when = when
        self._step = step
        self._left = count
        self._mark = mark

    @classmethod
    def parse(cls, text: str) -> Self:
        """`before|after STEP COUNT FILE`. Raises `ValueError`."""
        when, step, count, mark = text.split(" ", 3)
        if when not in ("before", "after") or step not in STEPS:
            raise ValueError(f"no crash point {text!r}")
        return cls("before" if when == "before" else "after", step, int(count), Path(mark))

    async def around(self, step: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make the call, and die before or after it if this is the place. An empty receive is no call."""
        self._pass_by("before", step)
        result = await call()
        if step != "requests.receive" or result:
            self._pass_by("after", step)
        return result

    def _pass_by(self, when: str, step: str) -> None:
        if (when, step) != (self._when, self._step) or self._mark.exists():
            return
        self._left -= 1
        if self._left <= 0:
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
