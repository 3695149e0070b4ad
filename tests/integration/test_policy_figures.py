"""Our rule against AWS's recipe and the best fast rule, on seeds that nothing was tuned on; `bench` does it in full."""

from __future__ import annotations

import pytest

from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.instances import Boot
from iraas.scaling.plan import Plan
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import shape

WORKLOADS = ("steady", "step", "flash", "ramp", "daily")
SEEDS = (11, 12)
SECONDS = 1.0  # a picture


@pytest.fixture(scope="module")
def marks() -> dict[str, tuple[float, float]]:
    """Late share and worker-hours, over workloads, boots and seeds."""
    cases = [(name, boot, seed) for name in WORKLOADS for boot in (30.0, 180.0) for seed in SEEDS]
    found: dict[str, tuple[float, float]] = {}
    for policy in ("ours", "aws-recipe", "gandhi", "in-flight"):
        results = []
        for name, boot, seed in cases:
            rule = contenders(Facts(SECONDS, 2.0, boot))[policy]
            workload = shape(name, rate=2 / SECONDS, duration=3_600, seed=seed)
            plan = Plan(minimum=1, maximum=20, policy=rule)
            scenario = Scenario(workload, Service(seconds=SECONDS), plan, boot=Boot(boot=boot), seed=seed)
            results.append(simulate(scenario))
        late = sum(result.late_share for result in results) / len(results)
        found[policy] = late, sum(result.instance_hours for result in results)
    return found


def test_ours_is_late_less_than_awss_recipe_for_two_thirds_of_its_hours(marks):
    """What one set of parameters is worth against target tracking at one minute."""
    (late, hours), (recipe_late, recipe_hours) = marks["ours"], marks["aws-recipe"]
    assert late < recipe_late
    assert hours < 0.65 * recipe_hours


def test_ours_is_as_good_as_the_best_fast_rule_for_fewer_hours(marks):
    """Within half a point of the rule that is late the least, and cheaper."""
    late, hours = marks["ours"]
    best_late, best_hours = min(marks["gandhi"], marks["in-flight"])
    assert late < best_late + 0.005
    assert hours < 0.9 * best_hours
