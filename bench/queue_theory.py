"""workers, utilisation, arrivals -> how far the simulator is from queueing theory."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from tests.queueing import crommelin, mmc_mean, mmc_quantile

from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import shape

SERVICE = 0.1  # seconds
CLOSE = 0.002  # service times: a difference that counts as none
BATCHES = 30
STUDENT = 2.045  # of 29 degrees of freedom: 95 % lie within so many standard errors

Distribution = Literal["constant", "exponential"]


class Case(NamedTuple):
    """M/M/c or M/D/c."""

    workers: int
    utilisation: float
    distribution: Distribution
    arrivals: int

    def __str__(self) -> str:
        """As the books write it."""
        kind = "M/M" if self.distribution == "exponential" else "M/D"
        return f"{kind}/{self.workers} at {self.utilisation:g}, {self.arrivals // 1_000_000} million"


class Compared(NamedTuple):
    """What came of it."""

    error: float  # the larger relative error of mean and 95th percentile
    inside: bool  # the theoretical mean lies within the 95 % interval of the batch means


def compare(case: Case) -> Compared:
    """Simulate, and hold it against theory."""
    rate = case.workers * case.utilisation / SERVICE
    workload = shape("steady", rate=rate, duration=case.arrivals / rate)
    service = Service(seconds=SERVICE, distribution=case.distribution)
    result = simulate(Scenario(workload, service, fixed=case.workers, seed=1, mode="exact"))
    mean, p95 = _theory(case)
    errors = [
        abs(found / SERVICE - theory) / theory
        for found, theory in ((result.wait.mean, mean), (result.wait.p95, p95))
        if abs(found / SERVICE - theory) > CLOSE
    ]
    waits = result.outcome.wait
    batches = waits[: len(waits) // BATCHES * BATCHES].reshape(BATCHES, -1).mean(axis=1) / SERVICE
    reach = STUDENT * float(batches.std(ddof=1)) / math.sqrt(BATCHES)
    return Compared(max(errors, default=0.0), abs(float(batches.mean()) - mean) <= reach)


def _theory(case: Case) -> tuple[float, float]:
    """Mean and 95th percentile, in service times."""
    if case.distribution == "exponential":
        return mmc_mean(case.workers, case.utilisation), mmc_quantile(case.workers, case.utilisation, 0.95)
    theory = crommelin(case.workers, case.utilisation)
    return theory.mean, theory.quantile(0.95)
