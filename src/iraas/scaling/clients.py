"""answers, patience -> when closed-loop clients send their next pictures; pure."""

from __future__ import annotations

import math
from bisect import bisect_left, insort

from iraas.scaling.workloads import Burst


class Clients:
    """Clients that wait: each has one picture under way, and sends its next when it has the answer or no more patience.

    They write when their pictures come into the list that the line reads them from, which stays sorted.
    """

    def __init__(self, burst: Burst, patience: float, enter: list[float]) -> None:
        self._think = burst.think
        self._patience = patience
        self._enter = enter
        enter.extend([0.0] * min(burst.clients, burst.requests))
        self._left = burst.requests - len(enter)  # pictures that were not sent yet
        self._gone = 0  # clients of the pictures before this one wait no more

    def wait_for(self, picture: int) -> bool:
        """Whether this picture's client is still there."""
        return picture >= self._gone

    def answered(self, born: float, finish: float, *, after: int) -> float:
        """The answer to a client who waits will be there: when it sends its next; infinity if it was the last one."""
        if not self._left:
            return math.inf
        self._left -= 1
        at = min(finish, born + self._patience) + self._think
        insort(self._enter, at, lo=after)
        return at

    def not_answered(self, call: float, *, after: int) -> None:
        """There will be no answer at that time after all, so that the next picture does not come then."""
        if call < math.inf:
            del self._enter[bisect_left(self._enter, call, lo=after)]
            self._left += 1

    def give_up(self, now: float, *, first: int) -> None:
        """Clients whose pictures nobody began lose their patience; `first` is the first of these pictures."""
        self._gone = max(self._gone, first)
        while self._gone < len(self._enter) and self._enter[self._gone] + self._patience <= now:
            self._gone += 1
            self.answered(self._enter[self._gone - 1], math.inf, after=self._gone)

    def gave_up(self, born: float, now: float) -> bool:
        """Whether a client who waited since then is gone."""
        return born + self._patience <= now
