"""load, workers -> the chance that a picture waits. Queueing theory in closed form; pure.

Load is in erlangs: arrivals a second times the seconds that one keeps a worker busy.
"""

from __future__ import annotations

import math
from functools import lru_cache

EXACT_BELOW = 200.0  # erlangs; beyond, Halfin and Whitt's limit is right to a part in a thousand


def waits(workers: int, load: float) -> float:
    """Erlang's C: the chance that a picture finds all workers busy (A. K. Erlang, 1917). 1 where load >= workers."""
    if load <= 0:
        return 0.0
    if workers <= load:
        return 1.0
    if load >= EXACT_BELOW:
        return _halfin_whitt((workers - load) / math.sqrt(load))
    blocked = 1.0  # Erlang's B, by its recursion over the workers
    for number in range(1, workers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / workers * (1 - blocked))


def waits_longer(workers: int, load: float, seconds: float, service: float) -> float:
    """The chance that a picture waits for longer than `seconds`, in M/M/c with a mean `service` time."""
    if workers <= load:
        return 1.0
    return waits(workers, load) * math.exp(-(workers - load) * seconds / service)


@lru_cache(maxsize=4096)
def workers_for(load: float, *, seconds: float, service: float, share: float) -> int:
    """The fewest workers of which at most `share` of the pictures wait longer than `seconds`."""
    fewest = most = math.floor(load) + 1
    while waits_longer(most, load, seconds, service) > share:
        most += max(1, most - fewest)
    while fewest < most:
        middle = (fewest + most) // 2
        if waits_longer(middle, load, seconds, service) > share:
            fewest = middle + 1
        else:
            most = middle
    return fewest


def _halfin_whitt(beta: float) -> float:
    """The chance to wait with load + beta * sqrt(load) workers, load growing (Halfin and Whitt, 1981)."""
    density = math.exp(-beta * beta / 2) / math.sqrt(2 * math.pi)
    below = 0.5 * math.erfc(-beta / math.sqrt(2))
    return density / (density + beta * below)
