"""`12ms`, `90s`, `1.5h` -> seconds."""

from __future__ import annotations

import re

import typer

_TEXT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def seconds_of(text: str) -> float:
    """A duration in seconds. Raises `typer.BadParameter`."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration: say 12ms, 90s, 15m, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def in_words(seconds: float) -> str:
    """A duration as a person says it, with three digits."""
    for unit in ("d", "h", "m", "s"):
        if seconds >= _SECONDS[unit]:
            return f"{seconds / _SECONDS[unit]:.3g} {'min' if unit == 'm' else unit}"
    return f"{seconds * 1000:.3g} ms"
