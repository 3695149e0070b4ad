"""What the response queues' heartbeats say -> those whose owners are gone. Pure but for the clock it is given.

A living owner's queue must never go. Owners and sweepers may have clocks that differ by minutes, so both ask
SQS's: it dates each of its answers. And SQS may have been away for hours, so that every heartbeat is old when
it comes back: so a heartbeat must be an hour old and also have stood still under this sweeper's own eyes, for a
time in which any living owner would have written another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from iraas.clock import Clock

BEAT_SECONDS = 300.0  # between two heartbeats, and between two looks
SILENT_SECONDS = 3_600.0  # by SQS's clock
WATCH_SECONDS = 900.0  # by our own, of looks that follow each other
GAP_SECONDS = (
    600.0  # between two looks; after a longer one SQS, or we, have been away, and watching begins anew
)


class Watched(NamedTuple):
    """A heartbeat, and when this sweeper first saw it."""

    text: str | None  # as the tag has it; None: there is no tag
    beat_at: float  # SQS's time, seconds; without a heartbeat that of the first sight
    seen_at: float  # boot time, seconds


class Sweep:
    """The memory of one sweeper."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[str, Watched] = {}
        self._looked_at = -math.inf

    def look(self, heartbeats: Mapping[str, str | None], *, now: float) -> list[str]:
        """The queues whose owners are gone. `heartbeats` has the tag of every queue there is, `now` is SQS's."""
        boot = self._clock.boot()
        if boot - self._looked_at > GAP_SECONDS:
            self._watched = {}
        self._looked_at = boot
        self._watched = {name: self._watch(name, text, now, boot) for name, text in heartbeats.items()}
        return [
            name
            for name, watched in self._watched.items()
            if now - watched.beat_at > SILENT_SECONDS and boot - watched.seen_at >= WATCH_SECONDS
        ]

    def _watch(self, name: str, text: str | None, now: float, boot: float) -> Watched:
        before = self._watched.get(name)
        if before is not None and before.text == text:
            return before
        return Watched(text, _seconds(text, otherwise=now), boot)


def _seconds(text: str | None, *, otherwise: float) -> float:
    try:
        seconds = float(text or "")
    except ValueError:
        return otherwise
    return seconds if math.isfinite(seconds) else otherwise
