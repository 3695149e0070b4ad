"""Arrivals -> starts and finishes, picture by picture. Exact for any number of workers that comes and goes.

Nobody overtakes in a queue, so that a picture's start is known as soon as its turn comes: the moment at which it is
there and a worker is free (Kiefer and Wolfowitz, 1955). A heap of the times at which workers become free is all that it
takes, and between two changes of the number of workers the loop does nothing else.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right, insort
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, heapreplace

import numpy as np

from iraas.scaling.line import Look, Outcome
from iraas.scaling.service import Service
from iraas.scaling.workloads import Burst, Times, Workload

FORGET = 100_000  # pictures begun, after which the list of arrivals is cut
STOCK = 65_536  # service times drawn at once
AT_ONCE = 4_096  # pictures that the fast road looks at together


class ExactLine:
    """Keeps the promises of `Line`, one picture at a time: about half a microsecond each."""

    def __init__(
        self,
        workload: Workload | Burst,
        service: Service,
        rng: np.random.Generator,
        *,
        visibility_timeout: float = 30.0,
        patience: float = math.inf,
        kills: bool = False,
    ) -> None:
        self._service = service
        self._rng = rng
        self._visibility_timeout = visibility_timeout
        self._patience = patience  # of closed-loop clients, who then send their next
        self._burst = workload if isinstance(workload, Burst) else None
        self._simple = service.receive == 1 and self._burst is None and not kills
        self._now = self._looked_at = 0.0
        self._enter: list[float] = []  # when pictures enter the queue, sorted
        self._next = 0  # the first of them that nobody began
        self._coming: Iterator[Times] = iter(())
        self._calls_left = 0
        if isinstance(workload, Burst):
            self._enter = [0.0] * min(workload.clients, workload.requests)
            self._calls_left = workload.requests - len(self._enter)
        else:
            self._coming = workload.arrivals(rng)
        self._exhausted = False
        self._free: list[float] = []  # a heap: when each worker is free
        self._hands: dict[float, tuple[int, int]] = {}  # when a worker is free -> its rows, first and last + 1
        self._born: dict[float, float] = {}  # of pictures that came back: when they came first
        self._stock: list[float] = []  # service times
        self._rows_enter, self._rows_start, self._rows_finish = array("d"), array("d"), array("d")
        self._seen_rows = self._seen_arrivals = 0  # at the last look
        self._open: list[float] = []  # finishes that were still to come at the last look

    def advance(self, until: float) -> None:
        """Serve up to this time."""
        self._pull(until)
        if self._free:
            if self._simple:
                self._one_by_one(until)
            else:
                self._in_batches(until)
        self._now = until
        if self._next > FORGET:
            del self._enter[: self._next]
            self._seen_arrivals -= self._next
            self._next = 0

    def look(self) -> Look:
        """What there is now."""
        now, since = self._now, self._looked_at
        starts, finishes = self._since(self._rows_start), self._since(self._rows_finish)
        ending = [*self._open, *finishes]
        still = [finish for finish in ending if finish > now]
        worked = (
            math.fsum(finishes)
            - math.fsum(starts)
            + math.fsum(finish - since for finish in self._open)
            - math.fsum(finish - now for finish in still)
        )
        entered = bisect_right(self._enter, now)
        visible = entered - self._next
        look = Look(
            visible=visible,
            in_flight=worked / (now - since) if now > since else float(len(still)),
            oldest_age=now - self._enter[self._next] if visible else 0.0,
            arrivals=entered - self._seen_arrivals,
            answers=len(ending) - len(still),
        )
        self._open, self._seen_rows, self._seen_arrivals = still, len(self._rows_start), entered
        self._looked_at = now
        return look

    def add(self, workers: int) -> None:
        """So many more workers."""
        for _ in range(workers):
            heappush(self._free, self._now)

    def remove(self, workers: int, *, busy: bool) -> list[float]:
        """Take workers away: those that are idle, then those that are done first."""
        gone: list[float] = []
        while self._free and len(gone) < workers and (busy or self._free[0] <= self._now):
            gone.append(max(self._now, heappop(self._free)))
        return gone

    def kill(self) -> None:
        """One worker is gone, whichever; what it held comes back after its visibility timeout."""
        if not self._free:
            return
        free_at = self._free.pop(int(self._rng.integers(len(self._free))))
        heapify(self._free)
        first, last = self._hands.pop(free_at, (0, 0))
        for row in range(first, last):
            if self._rows_finish[row] <= self._now:
                continue
            entered = self._rows_enter[row]
            back = self._rows_start[row] + self._visibility_timeout
            while back in self._born:  # so that each has its own
                back = math.nextafter(back, math.inf)
            self._born[back] = self._born.pop(entered, entered)
            insort(self._enter, back, lo=self._next)
            self._forget(row)

    @property
    def idle(self) -> int:
        """Workers that hold nothing now."""
        return sum(free_at <= self._now for free_at in self._free)

    @property
    def came(self) -> float:
        """Pictures that came so far, answered or not."""
        return sum(start == start for start in self._rows_start) + len(self._enter) - self._next  # noqa: PLR0124

    @property
    def done(self) -> bool:
        """Whether nothing will come, nothing waits and nothing is under way."""
        served = self._exhausted and self._next == len(self._enter)
        return served and not any(free_at > self._now for free_at in self._free)

    def outcome(self) -> Outcome:
        """What became of every picture that was answered."""
        entered, start, finish = (
            np.frombuffer(rows) for rows in (self._rows_enter, self._rows_start, self._rows_finish)
        )
        answered = ~np.isnan(start)
        born = entered
        if self._born:
            born = entered.copy()
            for row in np.flatnonzero(np.isin(entered, np.array(list(self._born)))):
                born[row] = self._born[float(entered[row])]
        born, start, finish = born[answered], start[answered], finish[answered]
        return Outcome(born, start - born, finish - born, np.ones(len(born)))

    def _pull(self, until: float) -> None:
        while not self._exhausted and (not self._enter or self._enter[-1] < until):
            chunk = next(self._coming, None)
            if chunk is None:
                self._exhausted = True
            elif self._born:  # what came back may lie beyond
                self._enter = self._enter[: self._next] + sorted(self._enter[self._next :] + chunk.tolist())
            else:
                self._enter.extend(chunk.tolist())

    def _one_by_one(self, until: float) -> None:
        """The fast road. Everything it touches is local, since it runs millions of times."""
        enter, free = self._enter, self._free
        replace = heapreplace
        there = bisect_right(enter, until)
        served = AT_ONCE
        while served == AT_ONCE:  # a backlog may be long, and little of it have its turn
            begun = self._next
            came = enter[begun : min(begun + AT_ONCE, there)]
            times = self._draw(len(came))
            starts: list[float] = []
            for start, seconds in zip(came, times, strict=True):
                if start < free[0]:
                    start = free[0]  # noqa: PLW2901 - it waits
                if start >= until:
                    break
                replace(free, start + seconds)
                starts.append(start)
            served = len(starts)
            self._stock.extend(reversed(times[served:]))
            self._rows_enter.extend(came[:served])
            self._rows_start.extend(starts)
            self._rows_finish.extend(map(float.__add__, starts, times))
            self._next = begun + served

    def _in_batches(self, until: float) -> None:
        """Workers that take several at once, closed-loop clients, and workers that may be killed."""
        enter, free, service = self._enter, self._free, self._service
        while self._next < len(enter):
            first = self._next
            start = max(free[0], enter[first])
            if start >= until:
                break
            last = min(first + service.receive, bisect_right(enter, start, lo=first))
            at, row = start, len(self._rows_start)
            for begin in range(first, last, service.batch):
                batch = enter[begin : min(begin + service.batch, last)]
                at += math.fsum(self._draw(len(batch)))
                self._rows_enter.extend(batch)
                self._rows_start.extend([start] * len(batch))
                self._rows_finish.extend([at] * len(batch))
            self._next = last
            self._hands.pop(free[0], None)
            heapreplace(free, at)
            self._hands[at] = (row, len(self._rows_start))
            if self._burst is not None:
                self._call_again(row)

    def _call_again(self, row: int) -> None:
        """Clients whose answers were just computed send their next picture."""
        assert self._burst is not None
        for entered, finish in zip(self._rows_enter[row:], self._rows_finish[row:], strict=True):
            if not self._calls_left:
                return
            self._calls_left -= 1
            insort(self._enter, min(finish, entered + self._patience) + self._burst.think, lo=self._next)

    def _since(self, rows: array[float]) -> array[float]:
        """Rows since the last look, without those of killed workers."""
        new = rows[self._seen_rows :]
        return array("d", [time for time in new if time == time]) if self._born else new  # noqa: PLR0124 - NaN

    def _draw(self, count: int) -> list[float]:
        """Service times, from a stock: what was drawn and not used is used next."""
        stock = self._stock
        if self._service.distribution == "constant":
            return [self._service.seconds] * count
        if len(stock) < count:
            stock[:0] = self._service.draw(max(STOCK, count), self._rng)
        taken = stock[-count:]
        taken.reverse()
        del stock[-count:]
        return taken

    def _forget(self, row: int) -> None:
        """This row's picture was not answered after all."""
        finish = self._rows_finish[row]
        if finish in self._open:
            self._open.remove(finish)
        self._rows_start[row] = self._rows_finish[row] = math.nan
