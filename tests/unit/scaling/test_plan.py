"""iraas.scaling.plan: a policy between its bounds, and as a file."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaling.plans import POLICIES
from tests.unit.scaling.seen import anything, seen

from iraas.scaling.plan import Plan, default_plan, read_plan, write_plan
from iraas.scaling.policies.per_worker import JobsPerWorker
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import History

TRACKING = """\
maximum = 5
[policy]
kind = "target-tracking"
metric = "cpu"
[policy.tracking]
target = {target}
"""

STEPS = """\
maximum = 5
[policy]
kind = "step-alarms"
[policy.out_when]
metric = "visible"
threshold = 10
comparison = ">"
[policy.in_when]
metric = "visible"
threshold = 1
comparison = "<"
[policy.out]
steps = {steps}
[policy.back]
steps = [{{ upper = 0, change = -1 }}]
"""


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
def test_every_policy_comes_back_from_its_file(policy):
    """What was written is read as what it was, a step without a bound included."""
    plan = Plan(minimum=2, maximum=30, policy=policy)
    assert read_plan(write_plan(plan)) == plan


def test_a_file_needs_little():
    """The maximum and the policy's kind; the rest is as it comes."""
    assert read_plan('maximum = 4\n[policy]\nkind = "staffing"\n') == Plan(
        minimum=0, maximum=4, policy=Staffing()
    )


def test_ours_is_the_default():
    """Between the bounds that were given."""
    plan = default_plan(1, 4)
    assert (plan.minimum, plan.maximum) == (1, 4)
    assert isinstance(plan.policy, Staffing)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'maximum = 5\n[policy]\nkind = "staffing"\nobjektive = 2.0\n',
            "policy.objektive: there is no such field; docs/scaling.md lists them",
        ),
        (
            STEPS.format(steps="[{ lower = 0, upper = 10, change = 1 }, { lower = 5, change = 2 }]"),
            "policy.out.steps: [0, 10) and [5, inf) overlap; begin each where the last one ends",
        ),
        (
            STEPS.format(steps="[{ lower = 0, upper = 10, change = 1 }, { lower = 15, change = 2 }]"),
            "policy.out.steps: [0, 10) and [15, inf) leave a gap; begin each where the last one ends",
        ),
        (TRACKING.format(target=0.0), "policy.tracking.target: 0 cannot be held; use more than 0"),
        (
            'minimum = 7\nmaximum = 5\n[policy]\nkind = "staffing"\n',
            "minimum: 7 is more than the maximum of 5; lower it, or raise maximum",
        ),
        ('[policy]\nkind = "staffing"\n', "maximum: it is missing; docs/scaling.md says what belongs there"),
        ("maximum = 5\n", "policy: it is missing; docs/scaling.md says what belongs there"),
        (
            'maximum = 5\n[policy]\nkind = "stafing"\n',
            "policy.kind: 'stafing' is not known; docs/scaling.md lists what is",
        ),
        ('maximum = "5"\n[policy]\nkind = "staffing"\n', "maximum: it must be a whole number"),
        ('maximum = 0\n[policy]\nkind = "staffing"\n', "maximum: 0 must be between 1 and 100,000"),
        (
            'minimum = -1\nmaximum = 5\n[policy]\nkind = "staffing"\n',
            "minimum: -1 workers cannot be; give 0 or more",
        ),
        ('maximum = 5\npolicy = "staffing"\n', "policy: it must be a table; docs/scaling.md shows one"),
        (
            """
            maximum = 5
            [policy]
            kind = "combined"
            parts = [{ kind = "staffing" }, { kind = "jobs-per-worker", target = 0 }]
            """,
            "policy.parts[1].target: 0 jobs a worker would need endless workers, or none; give a number above 0",
        ),
    ],
)
def test_a_wrong_file_names_field_and_mend(text, says):
    """The whole line, as a user reads it."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text follows
        read_plan(text)
    assert str(caught.value) == says


def test_a_file_that_is_none_says_where():
    """TOML's own words, with line and column."""
    with pytest.raises(ValueError, match=r"^this is not TOML: .*line 2"):
        read_plan("maximum = 5\nminimum = = 3\n")


@pytest.mark.parametrize(
    ("capacity", "visible", "becomes", "ends"),
    [
        (3, 1000, 6, "but 6 is the maximum"),
        (6, 1000, 6, "but 6 is the maximum"),
        (2, 0, 2, "5.0 each for each worker"),
        (1, 0, 2, "but 2 is the minimum"),
        (9, 44, 6, "but 6 is the maximum"),
    ],
)
def test_bounds_are_kept_and_told(capacity, visible, becomes, ends):
    """Also where the policy itself would change nothing."""
    plan = Plan(minimum=2, maximum=6, policy=JobsPerWorker(target=5.0))
    decision = plan.decide(seen(visible=visible, in_service=capacity), History())
    assert decision.capacity == becomes
    assert decision.reason.endswith(ends) or capacity == becomes == 2


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(list(POLICIES.values())),
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(anything, max_size=12),
)
def test_no_policy_leaves_its_bounds(policy, minimum, more, looks):
    """Whatever is seen, known or not, with time that jumps and without a single worker."""
    plan = Plan(minimum=minimum, maximum=max(1, minimum + more), policy=policy)
    history = History()
    for look in looks:
        decision = plan.decide(look, history)
        assert plan.minimum <= decision.capacity <= plan.maximum
        assert isinstance(decision.capacity, int)
        assert decision.reason


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
def test_what_cannot_be_seen_changes_nothing(policy):
    """A queue that does not answer is no reason to add or to remove; unless missing data was declared a breach."""
    blind = seen(visible=math.nan, in_flight=math.nan, in_service=3, starting=2)
    history = History()
    for minute in range(20):
        decision = policy.decide(blind._replace(time=60.0 * minute), history)
        if policy is not POLICIES["step-alarms, short"]:
            assert decision.capacity == 5
