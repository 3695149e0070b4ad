"""iraas.scaling.render: what CloudWatch and Auto Scaling could not hold is refused in words."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.scaling.plans import simple_alarms, step_alarms, tracking

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms
from iraas.scaling.render import render


def rendered(policy, tier="app", minimum=0, maximum=10):
    return render(Plan(minimum=minimum, maximum=maximum, policy=policy), tier=tier)


_many = StepScaling(steps=tuple(Step(n, None if n == 20 else n + 1, 1) for n in range(21)))
_half = StepScaling(steps=(Step(0, None, 12.5),), adjustment="PercentChangeInCapacity")
_removes = StepScaling(steps=(Step(0, 10, 1), Step(10, None, -1)))
_exactly = StepScaling(steps=(Step(0, None, 5),), adjustment="ExactCapacity")


def _steps(**fields):
    return msgspec.structs.replace(step_alarms(), **fields)


@pytest.mark.parametrize(
    ("policy", "tier", "says"),
    [
        (
            _steps(out=_many),
            "app",
            "policy.out.steps: 21 are more than the 20 that Auto Scaling takes in one policy; m",
        ),
        (
            _steps(out=_half),
            "app",
            "policy.out.steps: Auto Scaling takes no 12.5 percent; use a whole number",
        ),
        (_steps(out=_removes), "app", r"policy.out.steps: \[10, inf\) would remove by -1; turn its sign"),
        (
            _steps(out=_exactly),
            "app",
            "policy.out.steps: exactly 5 may remove some on Auto Scaling; give the maximum",
        ),
        (
            _steps(back=StepScaling(steps=(Step(None, 0, 5),), adjustment="ExactCapacity")),
            "app",
            "policy.back.steps: exactly 5 may add some on Auto Scaling; give the minimum of 0",
        ),
        (
            SimpleAlarms(
                out_when=Alarm("visible", 9, ">"),
                in_when=Alarm("visible", 1, "<"),
                out=SimpleScaling(change=7.5, adjustment="PercentChangeInCapacity"),
                back=SimpleScaling(change=-1),
            ),
            "app",
            "policy.out: Auto Scaling takes no 7.5 percent",
        ),
        (
            step_alarms("oldest_age", period=10.0),
            "app",
            "policy.period: AWS publishes oldest_age once a minute",
        ),
        (
            step_alarms("cpu", high=0.5, low=0.1, period=30.0),
            "app",
            "policy.period: AWS publishes cpu once a minute",
        ),
        (
            Combined(parts=(step_alarms(), _steps(out=_removes))),
            "app",
            r"policy.parts\[1\].out.steps: \[10, inf\) would remove",
        ),
        (
            msgspec.structs.replace(tracking(), period=300.0),
            "app",
            "policy.period: 300 s is not possible; .* use 60",
        ),
        (Staffing(), "web", "policy: CloudWatch cannot run 'staffing for the load .ours.' by itself"),
        (
            Combined(parts=(step_alarms(), simple_alarms())),
            "web",
            "policy: CloudWatch cannot run 'steps on visible",
        ),
    ],
)
def test_refuses_what_aws_could_not_hold(policy, tier, says):
    """The field and the mend, in words."""
    with pytest.raises(ValueError, match=says):
        rendered(policy, tier=tier)


def test_exactly_so_many_is_possible_where_it_cannot_go_the_wrong_way():
    """All that there may be on the way out, and the fewest on the way in."""
    policy = _steps(
        out=StepScaling(steps=(Step(0, None, 10),), adjustment="ExactCapacity"),
        back=StepScaling(steps=(Step(None, 0, 2),), adjustment="ExactCapacity"),
    )
    assert (
        rendered(policy, minimum=2)["AppOutPolicy"]["Properties"]["StepAdjustments"][0]["ScalingAdjustment"]
        == 10
    )
