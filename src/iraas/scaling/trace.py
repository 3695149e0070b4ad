"""lines of CSV -> Trace: when pictures came, read line by line and kept in bounded memory; pure.

time,count            or one time a line, without a header:
1714200000,12         0.031
1714200001,9          0.207
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from iraas.scaling.trace_rows import TraceRows
from iraas.scaling.workloads import CHUNK, Counts, Times, steps_in

MOST = 5_000_000  # rows that are kept as they are: 80 MB


@dataclass(frozen=True, eq=False)
class Trace:
    """Pictures that came at known times, or so many in a second from a known time on: a `Workload`."""

    duration: float  # seconds, to the end of the last row's second
    begins: Times  # seconds since the first row, ascending
    sizes: Counts  # pictures
    width: float  # seconds in which they came: 0 when the time of each is known, else 1
    name: str = "trace"

    @property
    def expected(self) -> float:
        """How many arrivals there are in all."""
        return float(self.sizes.sum())

    def arrivals(self, rng: np.random.Generator, *, chunk: int = CHUNK) -> Iterator[Times]:
        """When each picture comes: sorted, in arrays of at most `chunk`; those of a second evenly at random in it."""
        ends = np.cumsum(self.sizes)
        waiting: Times = np.empty(0)  # later than the next row begins: what that row brings may come before
        row = 0
        while row < len(self.begins):
            before = ends[row - 1] if row else 0
            after = max(row + 1, int(np.searchsorted(ends, before + chunk, side="right")))
            drawn: Times = np.repeat(self.begins[row:after], self.sizes[row:after])
            if self.width:
                drawn += rng.random(len(drawn)) * self.width
            drawn = np.concatenate((waiting, drawn), dtype=np.float64)
            drawn.sort()
            until = self.begins[after] if after < len(self.begins) else math.inf
            known = int(np.searchsorted(drawn, until))
            yield from (drawn[first : min(first + chunk, known)] for first in range(0, known, chunk))
            waiting, row = drawn[known:], after

    def counts(self, rng: np.random.Generator, *, step: float) -> Counts:
        """How many pictures come in each step of so many seconds; a second that two steps share is split at random."""
        steps = steps_in(self.duration, step)
        found = np.zeros(steps)
        left, at, ends = self.sizes, self.begins, self.begins + self.width
        number = (at / step).astype(np.int64)
        while left.any():
            edge: Times = np.multiply(number + 1, step, dtype=np.float64)
            whole = (edge >= ends) | (at >= ends)
            share = np.divide(edge - at, ends - at, out=np.ones_like(at), where=~whole)
            here = rng.binomial(left, np.clip(share, 0.0, 1.0)) if not whole.all() else left
            found += np.bincount(np.minimum(number, steps - 1), weights=here, minlength=steps)
            left, at, number = left - here, edge, number + 1
        return found.astype(np.int64)


def read_trace(lines: Iterable[str], *, most: int = MOST) -> Trace:
    """The trace that these lines hold; beyond `most` rows, only how many pictures came in each second.

    A header names `time` (seconds from any origin, or ISO 8601; UTC where it names no zone) and optionally `count`
    (pictures that came in the second that begins at `time`); other columns are ignored. Without a header each line is
    a time. Gaps are legal: nothing came. Raises `ValueError` with the number of the line and the mend.
    """
    rows = TraceRows(lines)
    kept = _Kept(most)
    for begin, size in rows:
        kept.add(begin, size)
    if not kept.begins:
        raise ValueError("the trace is empty; it takes a header `time,count` and a row for each second")
    begins: Times = np.array(kept.begins)
    order = np.argsort(begins, kind="stable")
    width = 1.0 if rows.counted or kept.folded else 0.0
    whole_seconds = rows.counted and not kept.folded
    duration = (kept.latest if whole_seconds else math.floor(kept.latest)) + 1.0
    return Trace(duration, begins[order], np.array(kept.sizes, dtype=np.int64)[order], width)


class _Kept:
    """Rows as they come, folded into whole seconds once there are too many."""

    def __init__(self, most: int) -> None:
        self.begins = array("d")
        self.sizes = array("q")
        self.latest = 0.0
        self.folded = False
        self._most = most

    def add(self, begin: float, size: int) -> None:
        self.latest = max(self.latest, begin)
        if self.folded:
            self._add_to_second(begin, size)
            return
        self.begins.append(begin)
        self.sizes.append(size)
        if len(self.begins) > self._most:
            self._fold()

    def _fold(self) -> None:
        begins, sizes = self.begins, self.sizes
        self.folded, self.begins, self.sizes = True, array("d"), array("q")
        for begin, size in zip(begins, sizes, strict=True):
            self._add_to_second(begin, size)

    def _add_to_second(self, begin: float, size: int) -> None:
        second = float(math.floor(begin))
        for back in range(1, min(len(self.begins), 3) + 1):  # rows may go back by TOLERANCE_SECONDS
            if self.begins[-back] == second:
                self.sizes[-back] += size
                return
        self.begins.append(second)
        self.sizes.append(size)
