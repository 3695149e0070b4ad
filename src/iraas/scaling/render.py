"""Plan -> CloudFormation resources: the alarms and scaling policies of one tier, as plain dicts; pure.

steps, cooldown         alarm out + policy, alarm in + policy
target tracking         one policy; AWS makes its alarms
several of these        all of them; render_together.py holds them to the least eager on the way in
anything else           the controller in the web processes decides, and publishes what is lacking: alarm out, alarm in
always, for the app     an alarm on a backlog that nobody works off
"""

from __future__ import annotations

import math

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.plan import Plan, write_plan
from iraas.scaling.policies.combined import AnyPolicy, Combined, Single
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import Rule, SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.render_alarms import alarm, one_way, simple_policy, step_policy
from iraas.scaling.render_lacking import by_controller, starved
from iraas.scaling.render_metrics import (
    MINUTE,
    PERCENT,
    Resource,
    Tier,
    group_of,
    queries,
    scale_of,
    scaled,
    series,
    visible_per_worker,
)
from iraas.scaling.render_together import only_while_calm
from iraas.scaling.tracking import TargetTracking


def render(plan: Plan, *, tier: Tier) -> dict[str, Resource]:
    """Resources by logical id. They refer to the group, the request queue and the stack of service.yaml.

    Raises `ValueError` that names field and mend, for what CloudWatch and Auto Scaling cannot hold.
    """
    name = tier.capitalize()
    if plan.policy.deployable:
        resources = _by_alarms(plan, plan.policy, tier)
    elif tier == "app":
        resources = by_controller(plan.maximum)
    else:
        raise ValueError(
            f"policy: CloudWatch cannot run '{plan.policy.title}' by itself, and the controller looks after the app "
            "tier alone; use step-alarms, simple-alarms, target-tracking or parts of these that docs/scaling.md allows"
        )
    if tier == "app":
        resources |= starved()
    return {f"{name}{key}": resource for key, resource in resources.items()}


def policy_text(plan: Plan) -> str:
    """The TOML that stands in the template's mapping, and that user data writes to IRAAS_POLICY."""
    return write_plan(plan)


def default_app_plan() -> Plan:
    """Ours, from nothing to ten instances."""
    return Plan(minimum=0, maximum=10, policy=Staffing())


def default_web_plan() -> Plan:
    """Processors at a half, and more where replies pile up before the processes that should hand them out.

    It removes one at a time, after a quarter of an hour in which neither was near: a client's wait lasts a minute.
    """
    return Plan(
        minimum=2,
        maximum=6,
        policy=Combined(
            parts=(
                Tracking(metric="cpu", tracking=TargetTracking(target=0.5)),
                StepAlarms(
                    out_when=Alarm("responses", 100.0, ">=", missing="notBreaching"),
                    in_when=Alarm(
                        "responses", 10.0, "<", datapoints=15, evaluation_periods=15, missing="notBreaching"
                    ),
                    out=StepScaling(steps=(Step(0.0, 400.0, 1), Step(400.0, None, 2))),
                    back=StepScaling(steps=(Step(None, 0.0, -1),)),
                ),
            )
        ),
    )


def _by_alarms(plan: Plan, policy: AnyPolicy, tier: Tier) -> dict[str, Resource]:
    parts: tuple[Single, ...] = policy.parts if isinstance(policy, Combined) else (policy,)
    steps = any(isinstance(part, Rule) for part in parts)
    trackings = [part for part in parts if isinstance(part, Tracking)]
    never_in = any(part.tracking.disable_in for part in trackings)
    resources: dict[str, Resource] = {}
    for number, tracking in enumerate(trackings, 1):
        # Beside steps, and beside one that never removes, it must not remove by itself: see render_together.py.
        resources[f"Tracking{number if number > 1 else ''}"] = _tracking(
            tracking, tier, disable_in=never_in or steps
        )
    number = 0
    for place, part in enumerate(parts):
        if not isinstance(part, Rule):
            continue
        number += 1
        mark = number if number > 1 else ""
        others = [*parts[:place], *parts[place + 1 :]]
        where = f"policy.parts[{place}]." if others else "policy."
        try:
            resources |= _direction(part, tier, plan, key=f"Out{mark}", out=True, others=others)
            if not never_in:
                resources |= _direction(part, tier, plan, key=f"In{mark}", out=False, others=others)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from error
    return resources


def _direction(
    part: Rule, tier: Tier, plan: Plan, *, key: str, out: bool, others: list[Single]
) -> dict[str, Resource]:
    """An alarm and its policy."""
    rule, field = (part.out_when, "out") if out else (part.in_when, "back")
    watched = series(part.metric, tier=tier, period=rule.period)
    if others and not out:
        assert isinstance(part, StepAlarms)  # all that a deployable combination has
        watched = only_while_calm(part, others, tier=tier)
    scale = scale_of(part.metric)
    if isinstance(part, StepAlarms):
        scaling = part.out if out else part.back
        one_way(scaling, out=out, minimum=plan.minimum, maximum=plan.maximum)
        policy = step_policy(scaling, tier=tier, field=field, scale=scale)
    else:
        assert isinstance(part, SimpleAlarms)
        policy = simple_policy(part.out if out else part.back, tier=tier, field=field)
    what = part.metric.replace("_", " ")
    description = (
        f"Scale {'out' if out else 'in'}: {what} {rule.comparison} {scaled(rule.threshold, scale):g}"
    )
    name = f"{tier.capitalize()}{key}Policy"
    return {
        f"{key}Alarm": alarm(rule, watched, description=description, policy=name, scale=scale),
        f"{key}Policy": policy,
    }


def _tracking(part: Tracking, tier: Tier, *, disable_in: bool) -> Resource:
    """Target tracking by AWS's own alarms. How many datapoints those ask for is AWS's business, and our model's."""
    if part.period != MINUTE:
        raise ValueError(
            f"policy.period: {part.period:g} s is not possible; EC2 and Auto Scaling publish once a minute, and target "
            "tracking takes no longer period: use 60"
        )
    rule = part.tracking
    if part.metric == "cpu":
        [metric] = series("cpu", tier=tier, period=part.period).metrics.values()
        specification: Resource = {**metric.named, "Statistic": metric.statistic}
        target = scaled(rule.target, PERCENT)
    else:
        watched = visible_per_worker(tier)
        specification = {"Metrics": queries(watched, watched.expression, period=None)}
        target = rule.target
    return {
        "Type": "AWS::AutoScaling::ScalingPolicy",
        "Properties": {
            "AutoScalingGroupName": group_of(tier),
            "PolicyType": "TargetTrackingScaling",
            "EstimatedInstanceWarmup": math.ceil(rule.warmup),
            "TargetTrackingConfiguration": {
                "CustomizedMetricSpecification": specification,
                "TargetValue": target,
                "DisableScaleIn": disable_in,
            },
        },
    }
