"""iraas.scaling.simulate against queueing theory: a fixed number of workers has waits that are known in closed form."""

from __future__ import annotations

import math

import pytest
from tests.queueing import crommelin, mmc_mean, mmc_quantile

from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import shape

ARRIVALS = 1_000_000
SERVICE = 0.1  # seconds


def measured(workers, utilisation, distribution):
    """A million pictures at this utilisation, in service times."""
    rate = workers * utilisation / SERVICE
    result = simulate(
        Scenario(
            shape("steady", rate=rate, duration=ARRIVALS / rate),
            Service(seconds=SERVICE, distribution=distribution),
            fixed=workers,
            seed=1,
            mode="exact",
        )
    )
    assert result.arrivals == pytest.approx(ARRIVALS, rel=0.005)
    assert result.answered == result.arrivals
    return result.wait.mean / SERVICE, result.wait.p95 / SERVICE


def close(found, theory):
    """Within 3 % or two thousandths of a service time."""
    return abs(found - theory) <= max(0.03 * theory, 0.002)


@pytest.mark.parametrize("utilisation", [0.5, 0.8])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_random_pictures_wait_as_erlang_says(workers, utilisation):
    """M/M/c: mean and 95th percentile of a million waits are those of Erlang's C formula."""
    mean, p95 = measured(workers, utilisation, "exponential")

    assert close(mean, mmc_mean(workers, utilisation)), (mean, mmc_mean(workers, utilisation))
    assert close(p95, mmc_quantile(workers, utilisation, 0.95)), (
        p95,
        mmc_quantile(workers, utilisation, 0.95),
    )


@pytest.mark.parametrize("utilisation", [0.5, 0.8])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_equal_pictures_wait_as_crommelin_says(workers, utilisation):
    """M/D/c: mean and 95th percentile of a million waits are those of Crommelin's distribution."""
    mean, p95 = measured(workers, utilisation, "constant")
    theory = crommelin(workers, utilisation)

    assert close(mean, theory.mean), (mean, theory.mean)
    assert close(p95, theory.quantile(0.95)), (p95, theory.quantile(0.95))


def test_theory_knows_itself():
    """Our M/D/c gives Pollaczek and Khinchine's mean and Erlang's waiting time distribution for one server."""
    for utilisation in (0.5, 0.8, 0.95):
        theory = crommelin(1, utilisation)
        assert theory.mean == pytest.approx(utilisation / (2 * (1 - utilisation)), rel=1e-6)
        below_one = (1 - utilisation) * math.exp(utilisation * 0.7)  # Erlang, 1909: the wait's first piece
        assert theory.at_most(0.7) == pytest.approx(below_one, rel=1e-9)
