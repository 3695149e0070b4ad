"""what killed workers held -> when it is there again; pure.

A queue learns of a death only by silence: what the dead one had received stays in flight until its visibility timeout
is over. Workers prolong it as long as they live, three times in each timeout, so that it runs from the last time.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Sequence

from iraas.scaling.clients import Clients

HEARTBEATS = 3  # in a visibility timeout: every 10 of 30 seconds


class Redelivery:
    """Who holds what, and what comes back."""

    def __init__(self, visibility_timeout: float, clients: Clients | None) -> None:
        self._timeout = visibility_timeout
        self._clients = clients
        self._hands: dict[float, list[Sequence[int]]] = {}  # when a worker is free -> the rows that it holds
        self._back: list[
            tuple[float, float, bool]
        ] = []  # when it is there, when it first came, does its client wait
        self._away: list[tuple[float, float]] = []  # when it was received, when it is there again
        self.calls: dict[int, float] = {}  # row -> when its client, if it waits, sends the next picture

    @property
    def head(self) -> float:
        """When the next one is there again."""
        return self._back[0][0] if self._back else math.inf

    @property
    def any(self) -> bool:
        """Whether something is still to be begun again."""
        return bool(self._back)

    def pick_up(self, free_at: float, rows: Sequence[int]) -> None:
        """A worker that is free then holds these. Several workers may be free at the same time."""
        self._hands.setdefault(free_at, []).append(rows)

    def put_down(self, free_at: float) -> Sequence[int]:
        """What a worker held that is free then: it was answered, or the worker is no more."""
        hands = self._hands.get(free_at, [])
        rows = hands.pop() if hands else ()
        if not hands:
            self._hands.pop(free_at, None)
        return rows

    def lose(self, row: int, born: float, start: float, now: float, *, first: int) -> None:
        """The worker that held this row was killed."""
        beat = self._timeout / HEARTBEATS
        back = start + (now - start) // beat * beat + self._timeout
        call = self.calls.pop(row, -math.inf)
        waits = call > now
        if waits and self._clients:
            self._clients.not_answered(call, after=first)
            if self._clients.gave_up(born, back):
                self._clients.answered(born, math.inf, after=first)
                waits = False
        insort(self._back, (back, born, waits))
        self._away.append((start, back))

    def take(self, now: float, count: int) -> list[tuple[float, bool]]:
        """The oldest that are there again: when they first came, and whether their clients wait."""
        there = 0
        while there < min(count, len(self._back)) and self._back[there][0] <= now:
            there += 1
        taken = [(born, waits) for _, born, waits in self._back[:there]]
        del self._back[:there]
        return taken

    def give_up(self, now: float, *, first: int) -> None:
        """Clients of what waits again lose their patience; those of what is away have lost it in `lose`."""
        for place, (back, born, waits) in enumerate(self._back):
            if waits and self._clients and self._clients.gave_up(born, now):
                self._clients.answered(born, math.inf, after=first)
                self._back[place] = (back, born, False)

    def in_flight(self, since: float, now: float) -> float:
        """Pictures on the average that were away; at one moment, how many are."""
        if now <= since:
            return float(sum(back > now for _, back in self._away))
        seconds = math.fsum(max(0.0, min(back, now) - max(start, since)) for start, back in self._away)
        self._away = [(start, back) for start, back in self._away if back > now]
        return seconds / (now - since)

    def visible(self, now: float) -> int:
        """Pictures that are there again, and that nobody took."""
        return sum(back <= now for back, _, _ in self._back)

    def oldest(self, now: float) -> float:
        """When the oldest of these first came."""
        return min((born for back, born, _ in self._back if back <= now), default=math.inf)
