"""Pictures that come at given times, so that both ways to simulate get the same ones."""

from __future__ import annotations

import numpy as np

from iraas.scaling.workloads import steps_in


class Replay:
    """A `Workload` that has no chance in it."""

    name = "replay"

    def __init__(self, times, duration):
        self.times = np.sort(np.asarray(times, dtype=np.float64))
        self.duration = float(duration)

    @classmethod
    def of(cls, workload, seed):
        """What a random workload gives once."""
        return cls(np.concatenate(list(workload.arrivals(np.random.default_rng(seed)))), workload.duration)

    @property
    def expected(self):
        return float(len(self.times))

    def arrivals(self, rng, *, chunk=100_000):
        for begin in range(0, len(self.times), chunk):
            yield self.times[begin : begin + chunk]

    def counts(self, rng, *, step):
        steps = steps_in(self.duration, step)
        return np.bincount(np.minimum((self.times / step).astype(int), steps - 1), minlength=steps)
