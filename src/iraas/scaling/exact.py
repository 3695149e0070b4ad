"""Arrivals -> starts and finishes, picture by picture. Exact for any number of workers that comes and goes.

Nobody overtakes in a queue, so that a picture's start is known as soon as its turn comes: the moment at which it is
there and a worker is free (Kiefer and Wolfowitz, 1955). A heap of the times at which workers become free is all that it
takes, and between two changes of the number of workers the loop does nothing else.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, heapreplace

import numpy as np

from iraas.scaling.clients import Clients
from iraas.scaling.line import Look, Outcome
from iraas.scaling.occupancy import Occupancy
from iraas.scaling.redelivery import Redelivery
from iraas.scaling.service import Service, ServiceTimes
from iraas.scaling.workloads import Burst, Times, Workload

FORGET = 100_000  # pictures begun, after which the list of arrivals is cut
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
        # Apart, so that all policies get the same arrivals, in whatever order they need the rest.
        arrivals, work, self._fate = rng.spawn(3)
        self._service = service
        self._times = ServiceTimes(service, work)
        self._now = 0.0
        self._enter: list[float] = []  # when pictures come, sorted
        self._next = 0  # the first of them that nobody began
        self._cut = 0  # pictures before the list's first
        self._coming: Iterator[Times] = iter(())
        self._clients = None
        if isinstance(workload, Burst):
            self._clients = Clients(workload, patience, self._enter)
        else:
            self._coming = workload.arrivals(arrivals)
        self._exhausted = False
        self._lost = Redelivery(visibility_timeout, self._clients) if kills else None
        self._simple = service.receive == 1 and self._clients is None and self._lost is None
        self._free: list[float] = []  # a heap: when each worker is free
        self._leaving = 0.0  # when the last of the removed workers is done
        self._born, self._starts, self._finishes = array("d"), array("d"), array("d")  # a row a picture
        self._hand_starts, self._hand_ends = array("d"), array("d")  # of what a worker takes at once
        self._pictures, self._workers = Occupancy(), Occupancy()
        self._seen = (0, 0, 0.0)  # at the last look: rows, arrivals, time

    def advance(self, until: float) -> None:
        """Serve up to this time."""
        while not self._exhausted and (not self._enter or self._enter[-1] < until):
            chunk = next(self._coming, None)
            if chunk is None:
                self._exhausted = True
            else:
                self._enter.extend(chunk.tolist())
        if self._free:
            if self._simple:
                self._one_by_one(until)
            else:
                self._in_batches(until)
        self._now = until
        if self._clients:
            self._clients.give_up(until, first=self._next)
            if self._lost:
                self._lost.give_up(until, first=self._next)
        elif self._next > FORGET:
            del self._enter[: self._next]
            self._cut += self._next
            self._next = 0

    def look(self) -> Look:
        """What there is now."""
        now = self._now
        rows, came_before, since = self._seen
        came = self.came
        starts, finishes = self._starts[rows:], self._finishes[rows:]
        if self._lost:  # not a number: of workers that were killed
            starts = array("d", (start for start in starts if start == start))
            finishes = array("d", (finish for finish in finishes if finish == finish))
        pictures = self._pictures.look(starts, finishes, now)
        in_flight = busy = pictures.average
        visible, oldest = came - self._cut - self._next, math.inf
        if visible:
            oldest = self._enter[self._next]
        if not self._simple:
            busy = self._workers.look(self._hand_starts, self._hand_ends, now).average
            self._hand_starts, self._hand_ends = array("d"), array("d")
        if self._lost:
            in_flight += self._lost.in_flight(since, now)
            visible += self._lost.visible(now)
            oldest = min(oldest, self._lost.oldest(now))
        self._seen = (len(self._starts), came, now)
        return Look(
            visible=visible,
            in_flight=in_flight,
            oldest_age=now - oldest if visible else 0.0,
            arrivals=came - came_before,
            answers=pictures.ended,
            busy=busy,
        )

    def add(self, workers: int) -> None:
        """So many more workers."""
        for _ in range(workers):
            heappush(self._free, self._now)

    def remove(self, workers: int, *, busy: bool) -> list[float]:
        """Take workers away: those that are idle, then those that are done first."""
        gone: list[float] = []
        while self._free and len(gone) < workers and (busy or self._free[0] <= self._now):
            free_at = heappop(self._free)
            if self._lost:
                self._lost.put_down(free_at)
            gone.append(max(self._now, free_at))
        self._leaving = max(self._leaving, *gone, 0.0)
        return gone

    def kill(self) -> None:
        """One worker is gone, whichever; what it held comes back after its visibility timeout."""
        if self._lost is None:
            raise ValueError("kills: this line was made without")
        if not self._free:
            return
        free_at = self._free.pop(int(self._fate.integers(len(self._free))))
        heapify(self._free)
        for row in self._lost.put_down(free_at):
            finish = self._finishes[row]
            if finish > self._now:
                self._lost.lose(row, self._born[row], self._starts[row], self._now, first=self._next)
                self._pictures.forget(finish)
                self._starts[row] = self._finishes[row] = math.nan

    @property
    def idle(self) -> int:
        """Workers that hold nothing now."""
        return sum(free_at <= self._now for free_at in self._free)

    @property
    def came(self) -> int:
        """Pictures that came so far, answered or not."""
        return self._cut + bisect_right(self._enter, self._now, lo=self._next)

    @property
    def done(self) -> bool:
        """Whether nothing will come, nothing waits and nothing is under way."""
        served = self._exhausted and self._next == len(self._enter) and not (self._lost and self._lost.any)
        return (
            served and self._leaving <= self._now and not any(free_at > self._now for free_at in self._free)
        )

    def outcome(self) -> Outcome:
        """What became of every picture that was answered."""
        born, start, finish = (np.frombuffer(rows) for rows in (self._born, self._starts, self._finishes))
        answered = finish <= self._now
        if not answered.all():
            born, start, finish = born[answered], start[answered], finish[answered]
        # Copies, also of `born`: a view would forbid the rows to grow. Thirty million ones need not be stored.
        return Outcome(born.copy(), start - born, finish - born, np.broadcast_to(1.0, len(born)))

    def _one_by_one(self, until: float) -> None:
        """The fast road. Everything it touches is local, since it runs millions of times."""
        enter, free = self._enter, self._free
        replace = heapreplace
        there = bisect_right(enter, until)
        served = AT_ONCE
        while served == AT_ONCE:  # a backlog may be long, and little of it have its turn
            begun = self._next
            came = enter[begun : min(begun + AT_ONCE, there)]
            times = self._times.take(len(came))
            starts: list[float] = []
            for start, seconds in zip(came, times, strict=True):
                if start < free[0]:
                    start = free[0]
                if start >= until:
                    break
                replace(free, start + seconds)
                starts.append(start)
            served = len(starts)
            self._times.give_back(times[served:])
            self._born.extend(came[:served])
            self._starts.extend(starts)
            self._finishes.extend(map(float.__add__, starts, times))
            self._next = begun + served

    def _in_batches(self, until: float) -> None:
        """Workers that take several at once, closed-loop clients, and workers that may be killed."""
        enter, free, service, lost = self._enter, self._free, self._service, self._lost
        while True:
            first = self._next
            head = enter[first] if first < len(enter) else math.inf
            start = max(free[0], min(head, lost.head) if lost else head)
            if start >= until:
                break
            again = lost.take(start, service.receive) if lost else []
            most = min(first + service.receive - len(again), len(enter))
            last = bisect_right(enter, start, lo=first, hi=most)
            taken = enter[first:last]
            if again:
                taken = [born for born, _ in again] + taken
            self._next = last
            row, at = len(self._born), start
            for begin in range(0, len(taken), service.batch):
                batch = taken[begin : begin + service.batch]
                at += math.fsum(self._times.take(len(batch)))
                self._finishes.extend([at] * len(batch))
            self._born.extend(taken)
            self._starts.extend([start] * len(taken))
            self._hand_starts.append(start)
            self._hand_ends.append(at)
            if lost:
                lost.put_down(free[0])
                lost.pick_up(at, range(row, row + len(taken)))
            heapreplace(free, at)
            if self._clients:
                waits = [waiting for _, waiting in again]
                waits += [self._clients.wait_for(picture) for picture in range(first, last)]
                self._call_again(self._clients, row, waits)

    def _call_again(self, clients: Clients, row: int, waits: list[bool]) -> None:
        """Clients whose answers were just computed send their next picture."""
        for number, waiting in enumerate(waits, row):
            if waiting:
                call = clients.answered(self._born[number], self._finishes[number], after=self._next)
                if self._lost:
                    self._lost.calls[number] = call
