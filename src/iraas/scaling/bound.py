"""workload, boot time, minimum -> the share of pictures that come before new workers can be there; pure.

A rule that only reacts learns of a rise when it happened, and its new workers are there a look and a boot later. The
ideal one here has everything else: it knows the load without noise, keeps what was needed in the last `KEEP_SECONDS`,
and brings all workers that there may be while a backlog lasts. What is late even so, a higher minimum can save, or a
rule that keeps more than the load ever asked for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from iraas.scaling.contenders import Facts

STEP = 1.0  # seconds
LOOK = 5.0  # seconds between two looks
KEEP_SECONDS = 600.0
ROUNDING = 1e-6  # pictures

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


def unavoidable_late(counts: Counts, facts: Facts, *, minimum: int, maximum: int) -> float:
    """The late share under the ideal rule; `counts` are arrivals in steps of `STEP` seconds."""
    if not counts.any():
        return 0.0
    came = np.cumsum(counts, dtype=np.float64)
    begun = np.maximum.accumulate(came - _backlog(counts, facts, minimum=minimum, maximum=maximum))
    waits = (np.searchsorted(begun, came - ROUNDING) - np.arange(len(counts))) * STEP
    return float(counts[waits > facts.objective].sum() / counts.sum())


def enough(counts: Counts, facts: Facts, *, share: float, maximum: int) -> int | None:
    """The least minimum with which at most `share` is late whatever boots take; None where the maximum is too few."""
    least, most = 0, maximum
    if unavoidable_late(counts, facts, minimum=maximum, maximum=maximum) > share:
        return None
    while least < most:
        middle = (least + most) // 2
        if unavoidable_late(counts, facts, minimum=middle, maximum=maximum) > share:
            least = middle + 1
        else:
            most = middle
    return least


def _backlog(counts: Counts, facts: Facts, *, minimum: int, maximum: int) -> Numbers:
    """What waits after each step."""
    late = math.ceil((LOOK + facts.boot) / STEP)
    pace = STEP / facts.service  # pictures that one worker serves in a step
    kept = np.clip(np.ceil(_kept(counts / pace, late)), minimum, maximum).tolist()
    waits: list[float] = []
    waiting = 0.0
    for number, (arrived, workers) in enumerate(zip(counts.tolist(), kept, strict=True)):
        behind = number >= late and waits[number - late] > 0
        waiting = max(0.0, waiting + arrived - (maximum if behind else workers) * pace)
        waits.append(waiting)
    return np.array(waits)


def _kept(load: Numbers, late: int) -> Numbers:
    """The largest load of the last while, as it is known `late` steps after it was."""
    width = max(1, round(LOOK / STEP))
    known = np.concatenate((np.zeros(late), load))[: len(load)]
    kept: Numbers = np.convolve(known, np.full(width, 1 / width))[: len(load)]
    reach = 1
    while reach < min(KEEP_SECONDS / STEP, len(kept)):  # a running maximum, in logarithmically many passes
        kept = np.maximum(kept, np.concatenate((np.zeros(reach), kept[:-reach])))
        reach *= 2
    return kept
