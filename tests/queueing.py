"""workers, utilisation -> how long pictures wait, as queueing theory has it; times in service times.

Apart from `iraas.scaling.erlang`, so that the simulator is not held against the product's own formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


def delay_probability(workers: int, utilisation: float) -> float:
    """Erlang's C formula, as its sum: the chance to wait in M/M/c."""
    load = workers * utilisation
    logs = [number * math.log(load) - math.lgamma(number + 1) for number in range(workers + 1)]
    last = math.exp(logs[-1]) / (1 - utilisation)
    return last / (math.fsum(map(math.exp, logs[:-1])) + last)


def mmc_mean(workers: int, utilisation: float) -> float:
    """The mean wait in M/M/c."""
    return delay_probability(workers, utilisation) / (workers * (1 - utilisation))


def mmc_quantile(workers: int, utilisation: float, share: float) -> float:
    """The wait that this share of the pictures does not exceed in M/M/c."""
    waits = delay_probability(workers, utilisation)
    return max(0.0, math.log(waits / (1 - share)) / (workers * (1 - utilisation)))


@dataclass(frozen=True)
class Crommelin:
    """M/D/c."""

    workers: int
    utilisation: float
    at_most_inside: npt.NDArray[np.float64]  # chance that so many pictures or fewer are there

    @property
    def mean(self) -> float:
        """The mean wait: the mean queue by Little's law."""
        queue = (1 - self.at_most_inside[self.workers :]).sum()
        return float(queue) / (self.workers * self.utilisation)

    def at_most(self, wait: float) -> float:
        """The chance not to wait longer, in positive terms (G. J. Franx, Operations Research Letters 29, 2001)."""
        services = math.floor(wait) + 1
        most = services * self.workers
        mean = self.workers * self.utilisation * (services - wait)
        numbers = np.arange(most)
        factorials = np.concatenate(([0.0], np.cumsum(np.log(numbers[1:])))) if most > 1 else np.zeros(1)
        poisson = np.exp(numbers * math.log(mean) - mean - factorials)
        queue = np.minimum(self.workers + most - 1 - numbers, len(self.at_most_inside) - 1)
        return float(poisson @ self.at_most_inside[queue])

    def quantile(self, share: float) -> float:
        """The wait that this share of the pictures does not exceed."""
        low, high = 0.0, 1.0
        if self.at_most(0.0) >= share:
            return 0.0
        while self.at_most(high) < share:
            high *= 2
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at_most(middle) < share else (low, middle)
        return high


def crommelin(workers: int, utilisation: float) -> Crommelin:
    """C. D. Crommelin, 1932: after one service time all who were served are gone, and all who came are there."""
    load = workers * utilisation
    states = workers + math.ceil(40 / (1 - utilisation) + 10 * math.sqrt(workers))
    numbers = np.arange(states)
    logs = numbers * math.log(load) - load - np.concatenate(([0.0], np.cumsum(np.log(numbers[1:]))))
    came = np.exp(logs)
    left = np.maximum(numbers - workers, 0)
    more = numbers[None, :] - left[:, None]
    moves = np.where(more >= 0, came[np.maximum(more, 0)], 0.0)
    equations = moves.T - np.eye(states)
    equations[-1] = 1.0
    chances = np.linalg.solve(equations, np.concatenate((np.zeros(states - 1), [1.0])))
    return Crommelin(workers, utilisation, np.cumsum(chances))
