"""A condition of another process -> its first true value. The one place that polls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0  # a loaded machine with two cores is slow, not wrong
LOOK_SECONDS = 0.05

_T = TypeVar("_T")


def until(condition: Callable[[], _T], *, what: str, within: float = PATIENCE_SECONDS) -> _T:
    """The first true value of `condition`; fails, naming `what` it waited for, after `within` seconds.

    For what another process does and announces nowhere; where there is an event, wait for that.
    """
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(LOOK_SECONDS)
