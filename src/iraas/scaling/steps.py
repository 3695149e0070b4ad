"""Counts of arrivals -> cohorts and their waits, step by step. The cost grows with the steps, not with the pictures.

The queue is a fluid: dN/dt = arrivals - min(N, workers) / service time (Newell, 1971). What waits is N beyond the
workers; a cohort waits until the pictures begun have caught up with those that had come before it. It is right where so
many pictures come in a step that chance has no say; `simulate` chooses.
"""

from __future__ import annotations

import math

import numpy as np

from iraas.scaling.line import Look, Outcome, Seconds
from iraas.scaling.service import Service
from iraas.scaling.workloads import Workload, steps_in

COHORTS = 4  # of each step, since a wait changes within it


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
        self._service = service
        self._step = step
        self._visibility_timeout = visibility_timeout
        self._counts: list[int] = workload.counts(rng, step=step).tolist()
        self._steps = steps_in(workload.duration, step)
        self._workers = 0
        self._inside = 0.0  # pictures that wait or are worked on
        self._now = 0.0
        self._came = 0.0
        self._back: list[tuple[float, float]] = []  # when and how many come back from killed workers
        self._curve: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)]  # time, came, begun; cumulative
        self._busy_seconds = 0.0
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
            if self._back:
                coming += self._come_back(end)
            workers, before = self._workers, self._inside
            after = before + coming - workers * seconds / service
            if after < workers:  # not all are busy to the end: the rest leaves as it is served
                level = coming / seconds * service
                decayed = level + (min(before, workers) - level) * math.exp(-seconds / service)
                after = max(after, min(decayed, workers), 0.0)
            self._inside = after
            self._busy_seconds += (min(before, workers) + min(after, workers)) / 2 * seconds
            self._now = end
            self._curve.append((end, self._came, self._came - max(0.0, after - workers)))

    def look(self) -> Look:
        """What there is now."""
        since, came, answered = self._looked
        visible = max(0.0, self._inside - self._workers)
        done = self._came - self._inside
        seconds = self._now - since
        look = Look(
            visible=visible,
            in_flight=self._busy_seconds / seconds if seconds > 0 else self._inside - visible,
            oldest_age=self._age(visible),
            arrivals=self._came - came,
            answers=done - answered,
        )
        self._looked = (self._now, self._came, done)
        self._busy_seconds = 0.0
        return look

    def add(self, workers: int) -> None:
        """So many more workers."""
        self._workers += workers

    def remove(self, workers: int, *, busy: bool) -> list[float]:
        """Take workers away: idle ones at once, busy ones within a service time."""
        idle = self.idle
        taken = min(workers, self._workers if busy else idle)
        self._workers -= taken
        at_once = min(taken, idle)
        return [self._now] * at_once + [self._now + self._service.seconds] * (taken - at_once)

    def kill(self) -> None:
        """One worker is gone; what it held on the average comes back after its visibility timeout."""
        if not self._workers:
            return
        held = min(1.0, self._inside / self._workers) * self._service.receive
        held = min(held, self._inside)
        self._workers -= 1
        self._inside -= held
        self._back.append((self._now + self._visibility_timeout, held))

    @property
    def idle(self) -> int:
        """Workers that hold nothing now."""
        return max(0, math.floor(self._workers - self._inside + 1e-9))

    @property
    def came(self) -> float:
        """Pictures that came so far, answered or not."""
        return self._came

    @property
    def done(self) -> bool:
        """Whether nothing will come and less than half a picture is left."""
        return self._now >= self._steps * self._step - 1e-9 and self._inside < 0.5 and not self._back

    def outcome(self) -> Outcome:
        """Cohorts: what came in a part of a step, and how long that waited."""
        times, came, begun = np.array(self._curve).T
        born = times[:-1, None] + np.diff(times)[:, None] * (np.arange(COHORTS) + 0.5) / COHORTS
        weight = np.repeat(np.diff(came) / COHORTS, COHORTS)
        born = born.ravel()[weight > 0]
        weight = weight[weight > 0]
        before = np.interp(born, times, came)
        answered = before <= begun[-1] + 0.5
        wait = np.maximum(0.0, _when(before, begun, times) - born)
        born, wait, weight = born[answered], wait[answered], weight[answered]
        return Outcome(born, wait, wait + self._service.seconds, weight)

    def _come_back(self, until: float) -> float:
        due = [held for at, held in self._back if at <= until]
        self._back = [(at, held) for at, held in self._back if at > until]
        return math.fsum(due)

    def _age(self, visible: float) -> float:
        """How long the first of those that wait has done so: back to when as many had come as are begun now."""
        if visible < 1:
            return 0.0
        begun = self._came - visible
        for time, came, _ in reversed(self._curve):
            if came <= begun:
                return self._now - time
        return self._now


def _when(counts: Seconds, begun: Seconds, times: Seconds) -> Seconds:
    """When so many were begun: the curve's inverse. It may fall back a little when workers go, and never counts that."""
    risen = np.maximum.accumulate(begun)
    keep = np.diff(risen, append=np.inf) > 0  # of a standstill the end: only then is the next one begun
    return np.interp(counts, risen[keep], times[keep])
