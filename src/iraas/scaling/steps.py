"""Counts of arrivals -> cohorts and their waits, step by step. The cost grows with the steps, not with the pictures.

The queue is a fluid: dN/dt = arrivals - min(N, workers) / service time (Newell, 1971). What waits is N beyond what the
workers hold; a cohort waits until the pictures begun have caught up with those that had come before it. It is right
where so many pictures come in a step that chance has no say; `simulate` chooses.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from operator import itemgetter

import numpy as np

from iraas.scaling.line import Look, Outcome, Seconds
from iraas.scaling.service import Service
from iraas.scaling.workloads import Workload, steps_in

COHORTS = 4  # of each step, since a wait changes within it
NOTHING = 0.01  # pictures: what is left of a fluid that only ever halves


class StepLine:
    """Keeps the promises of `Line`, in steps of `step` seconds."""

    def __init__(
        self,
        workload: Workload,
        service: Service,
        rng: np.random.Generator,
        *,
        step: float,
        visibility_timeout: float = 30.0,
    ) -> None:
        arrivals, self._chance = rng.spawn(2)
        self._service = service
        self._step = step
        self._visibility_timeout = visibility_timeout
        self._counts: list[int] = workload.counts(arrivals, step=step).tolist()
        self._steps = steps_in(workload.duration, step)
        self._workers = 0
        self._inside = 0.0  # pictures that wait or are worked on by workers that stay
        self._back: list[tuple[float, float]] = []  # when and how many come back from killed workers
        self._leaving: list[tuple[float, float]] = []  # when and how many are ended by removed ones
        self._now = 0.0
        self._came = 0.0
        # Time; cumulative: came, begun; pictures that a worker at work holds.
        self._curve: list[tuple[float, float, float, float]] = [(0.0, 0.0, 0.0, 1.0)]
        self._busy_seconds = self._held_seconds = 0.0  # of workers; of pictures in flight
        self._at_work = (-1.0, 0)  # a moment, and how many workers are busy then
        self._looked = (0.0, 0.0, 0.0)  # time, came, answered

    def advance(self, until: float) -> None:
        """Serve up to this time; a part of a step gets its part of the step's arrivals."""
        step, service = self._step, self._service.seconds
        while self._now < until - 1e-9:
            number = int(self._now / step + 1e-9)
            end = min((number + 1) * step, until)
            seconds = end - self._now
            coming = self._counts[number] * seconds / step if number < self._steps else 0.0
            self._came += coming
            elsewhere = self._elsewhere
            if self._back or self._leaving:
                coming += self._come_back(end)
            workers, before = self._workers, self._inside
            after = before + coming - workers * seconds / service
            if after < workers:  # not all are busy to the end: the rest leaves as it is served
                level = coming / seconds * service
                decayed = level + (min(before, workers) - level) * math.exp(-seconds / service)
                after = max(after, min(decayed, workers), 0.0)
                if not coming and after < NOTHING:
                    after = 0.0
            self._inside = after
            busy = (before + coming - after) * service
            held = (self._held(before) + self._held(after)) / 2 * seconds
            self._busy_seconds += busy
            self._held_seconds += busy + held + elsewhere * seconds
            self._now = end
            begun = self._came - self._visible
            self._curve.append((end, self._came, begun, self._each))

    def look(self) -> Look:
        """What there is now."""
        since, came, answered = self._looked
        visible, elsewhere = self._visible, self._elsewhere
        done = self._came - self._inside - elsewhere
        seconds = self._now - since
        look = Look(
            visible=visible,
            in_flight=self._held_seconds / seconds if seconds > 0 else self._inside - visible + elsewhere,
            oldest_age=self._age(visible),
            arrivals=self._came - came,
            answers=done - answered,
            busy=self._busy_seconds / seconds if seconds > 0 else float(self._workers - self.idle),
        )
        self._looked = (self._now, self._came, done)
        self._busy_seconds = self._held_seconds = 0.0
        return look

    def add(self, workers: int) -> None:
        """So many more workers."""
        self._workers += workers

    def remove(self, workers: int, *, busy: bool) -> list[float]:
        """Take workers away: idle ones at once, busy ones when they have ended what they hold."""
        idle = self.idle
        taken = min(workers, self._workers if busy else idle)
        at_once = min(taken, idle)
        ends = self._now + self._service.seconds * self._each
        if taken > at_once:
            held = min(self._inside, (taken - at_once) * self._each)
            self._inside -= held
            self._leaving.append((ends, held))
            self._at_work = (self._now, self._at_work[1] - (taken - at_once))
        self._workers -= taken
        return [self._now] * at_once + [ends] * (taken - at_once)

    def kill(self) -> None:
        """One worker is gone; what it held on the average comes back after its visibility timeout."""
        if not self._workers:
            return
        held = min(self._inside, min(1.0, self._inside / self._workers) * self._each)
        self._workers -= 1
        self._inside -= held
        self._back.append((self._now + self._visibility_timeout, held))

    @property
    def idle(self) -> int:
        """Workers that hold nothing now. The fluid is a mean, and a moment is not: one is drawn (Poisson)."""
        at, busy = self._at_work
        if at != self._now:
            busy = self._workers
            if self._inside < self._workers:
                busy = int(self._chance.poisson(self._inside))
            self._at_work = (self._now, busy)
        return max(0, self._workers - busy)

    @property
    def came(self) -> float:
        """Pictures that came so far, answered or not."""
        return self._came

    @property
    def done(self) -> bool:
        """Whether nothing will come and less than half a picture is left."""
        ended = self._now >= self._steps * self._step - 1e-9
        return ended and self._inside < 0.5 and not self._back and not self._leaving

    def outcome(self) -> Outcome:
        """Cohorts: what came in a part of a step, and how long that waited."""
        times, came, begun, each = np.array(self._curve).T
        born = times[:-1, None] + np.diff(times)[:, None] * (np.arange(COHORTS) + 0.5) / COHORTS
        weight = np.repeat(np.diff(came) / COHORTS, COHORTS)
        born = born.ravel()[weight > 0]
        weight = weight[weight > 0]
        before = np.interp(born, times, came)
        answered = before <= begun[-1] + 0.5
        wait = np.maximum(0.0, _when(before, begun, times) - born)
        born, wait, weight = born[answered], wait[answered], weight[answered]
        return Outcome(born, wait, wait + self._service.seconds * np.interp(born + wait, times, each), weight)

    @property
    def _each(self) -> float:
        """Pictures that a worker at work holds: one, and more of a queue."""
        if self._inside <= self._workers:
            return 1.0
        return min(self._service.held, self._inside / max(1, self._workers))

    @property
    def _visible(self) -> float:
        return max(0.0, self._inside - self._workers * self._service.held)

    @property
    def _elsewhere(self) -> float:
        """Pictures in flight that no worker of ours holds: of killed ones, and of removed ones."""
        if not (self._back or self._leaving):
            return 0.0
        return math.fsum(held for _, held in (*self._back, *self._leaving))

    def _held(self, inside: float) -> float:
        """Pictures that workers hold beyond those that they work on."""
        return min(max(0.0, inside - self._workers), self._workers * (self._service.held - 1))

    def _come_back(self, until: float) -> float:
        self._leaving = [(at, held) for at, held in self._leaving if at > until]
        due = [held for at, held in self._back if at <= until]
        self._back = [(at, held) for at, held in self._back if at > until]
        return math.fsum(due)

    def _age(self, visible: float) -> float:
        """How long the first of those that wait has done so: back to when as many had come as are begun now."""
        if visible < 1:
            return 0.0
        place = bisect_right(self._curve, self._came - visible, key=itemgetter(1))
        return self._now - self._curve[place - 1][0]


def _when(counts: Seconds, begun: Seconds, times: Seconds) -> Seconds:
    """When so many were begun: the curve's inverse. Where workers go it may fall back a little: that counts not."""
    # Where it stands still two times have one count; what is begun next is interpolated from the later one.
    return np.interp(counts, np.maximum.accumulate(begun), times)
