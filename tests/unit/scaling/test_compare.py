"""iraas.scaling.compare, contenders, variants: policies side by side."""

import msgspec
import pytest

from iraas.scaling.compare import compare, totals, workloads
from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.plan import Plan, read_plan, write_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.variants import variants

FACTS = Facts(service=0.5, objective=2.0, boot=60.0)


@pytest.fixture(scope="module")
def entries():
    """Two policies on two workloads."""
    policies = {name: contenders(FACTS)[name] for name in ("ours", "aws-recipe")}
    work = {
        name: work
        for name, work in workloads(rate=4, duration=600, seed=1).items()
        if name in ("step", "burst")
    }
    base = Scenario(work["step"], Service(seconds=0.5), fixed=1, seed=1)
    said = []
    found = list(compare(policies, work, base, minimum=1, maximum=10, on_run=said.append))
    assert said == ["ours on step", "aws-recipe on step", "ours on burst", "aws-recipe on burst"]
    return found


def test_all_policies_get_the_same_pictures(entries):
    """On one workload, as many pictures came for each policy, at the same times."""
    ours, recipe = (entry.result.outcome for entry in entries if entry.workload == "step")
    assert sorted(ours.born) == sorted(recipe.born)


def test_the_rows_carry_every_number(entries):
    """What `--json` prints has all columns of the table."""
    row = entries[0].as_json()
    columns = {
        "policy",
        "workload",
        "wait_s",
        "late_share",
        "instance_hours",
        "cost_per_million",
        "peak",
        "reversals",
    }
    assert columns <= set(row)
    msgspec.json.encode(row)


def test_totals_are_means_of_lateness_and_sums_of_hours(entries):
    """A policy's total is over its own rows."""
    total = next(row for row in totals(entries) if row.policy == "ours")
    mine = [entry.result for entry in entries if entry.policy == "ours"]
    assert total.late_share == pytest.approx(sum(result.late_share for result in mine) / 2)
    assert total.instance_hours == pytest.approx(sum(result.instance_hours for result in mine))


def test_the_least_late_comes_first(entries):
    """The order of the totals is the order of the table."""
    late = [row.late_share for row in totals(entries)]
    assert late == sorted(late)


@pytest.mark.parametrize("service", [0.012, 1.0])
def test_there_are_ten_contenders_and_a_file_for_each(service):
    """Each policy that people use can be written to a policy.toml and read again."""
    found = contenders(FACTS._replace(service=service))
    assert len(found) == 10
    assert isinstance(found["ours"], Staffing)
    for policy in found.values():
        plan = Plan(minimum=1, maximum=20, policy=policy)
        assert read_plan(write_plan(plan)) == plan


def test_aws_recipe_has_aws_target():
    """The recipe's target is the acceptable wait divided by the seconds of a picture."""
    assert contenders(FACTS)["aws-recipe"].tracking.target == 4.0


def test_variants_differ_from_what_they_vary():
    """Each variant is another policy of the same kind, and some exist for whatever has settings."""
    for name, policy in contenders(FACTS).items():
        found = [variant for variant in variants(policy, FACTS) if variant != policy]
        assert all(type(variant) is type(policy) for variant in found)
        assert bool(found) is (name != "per-message")
