"""When does a batch close? Pure: numbers in, yes or no out."""

from __future__ import annotations

from typing import NamedTuple


class BatchRule(NamedTuple):
    """Pictures are finished together, since queue calls cost the same for one as for eight.

    A batch never waits for pictures that are not there yet: at concurrency 1 it closes with one.
    """

    max_pictures: int = 8  # beyond 8 the queue calls per picture no longer show
    max_seconds: float = 0.1  # of work: the first picture's answer waits for the last one's

    def closes(self, *, pictures: int, seconds: float, held: int) -> bool:
        """Whether a batch closes: it has `pictures`, costs `seconds` of work in all, and `held` jobs are in hand."""
        if pictures == 0:
            return held == 0
        return held == 0 or pictures >= self.max_pictures or seconds >= self.max_seconds
