"""resolved template properties -> what a group of the rig is made from. A property that nobody knows is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

USED = frozenset(
    {
        "AutoScalingGroupName",
        "AvailabilityZones",
        "CapacityRebalance",
        "DesiredCapacity",
        "HealthCheckGracePeriod",
        "HealthCheckType",
        "LifecycleHookSpecificationList",
        "MaxSize",
        "MinSize",
        "NewInstancesProtectedFromScaleIn",
        "TerminationPolicies",
    }
)
# What says nothing here, and why.
WITHOUT_MEANING = {
    "Cooldown": "step scaling and target tracking have none",
    "DefaultInstanceWarmup": "whoever scales says how long an instance warms up",
    "LaunchTemplate": "its user data is given apart; there are no instance types, images or security groups here",
    "MetricsCollection": "the numbers are always there",
    "MixedInstancesPolicy": "as LaunchTemplate; who is a spot instance is said by interrupting it",
    "Tags": "nobody reads them",
    "TargetGroupARNs": "the rig's balancer asks the group who is in service",
    "VPCZoneIdentifier": "there are zones, and no subnets",
}
SHORTEST_HOOK, LONGEST_HOOK = 30, 7_200  # seconds; API_PutLifecycleHook
DEFAULT_HOOK = 3_600


class Hook(NamedTuple):
    """A lifecycle hook for instances that end."""

    name: str
    timeout: float  # seconds, and after each heartbeat again
    result: str  # what happens without an answer: CONTINUE or ABANDON; both end the instance

    @property
    def at_most(self) -> float:
        """API_PutLifecycleHook: an instance waits 100 times the time-out and 48 hours at most."""
        return min(100 * self.timeout, 48 * 3_600.0)


class GroupSpec(NamedTuple):
    """What a group is made from."""

    name: str
    least: int
    most: int
    desired: int
    user_data: str = ""
    hook: Hook | None = None
    protected: bool = False  # new instances, from scale-in
    rebalances: bool = False
    asks_balancer: bool = False  # HealthCheckType ELB
    grace: float = 0.0  # seconds in service before the balancer's word counts
    zones: tuple[str, ...] = ("us-east-1a", "us-east-1b")


def group_spec(
    properties: Mapping[str, Any],
    *,
    user_data: str,
    hook: Mapping[str, Any] | None = None,
    zones: tuple[str, ...] = ("us-east-1a", "us-east-1b"),
) -> GroupSpec:
    """A group from an AWS::AutoScaling::AutoScalingGroup whose intrinsics are resolved, and its hook's properties.

    `hook` is an AWS::AutoScaling::LifecycleHook, where it is not in the group's own list. Raises `ValueError` for a
    property, a termination policy or a hook that the rig does not play.
    """
    unknown = set(properties) - USED - set(WITHOUT_MEANING)
    if unknown:
        raise ValueError(f"the rig's groups do not know {', '.join(sorted(unknown))}")
    policies = [str(policy) for policy in properties.get("TerminationPolicies", ["Default"])]
    if policies != ["Default"]:
        raise ValueError(f"the rig knows the default termination policy, and not {', '.join(policies)}")
    hooks = [*properties.get("LifecycleHookSpecificationList", []), *([hook] if hook else [])]
    if len(hooks) > 1:
        raise ValueError("the rig's groups have one lifecycle hook")
    least = int(properties["MinSize"])
    return GroupSpec(
        name=properties["AutoScalingGroupName"],
        least=least,
        most=int(properties["MaxSize"]),
        desired=int(
            properties.get("DesiredCapacity", least)
        ),  # "... DesiredCapacity: defaults to the minimum"
        user_data=user_data,
        hook=_hook(hooks[0]) if hooks else None,
        protected=_is_true(properties.get("NewInstancesProtectedFromScaleIn")),
        rebalances=_is_true(properties.get("CapacityRebalance")),
        asks_balancer="ELB" in str(properties.get("HealthCheckType", "")),
        grace=float(properties.get("HealthCheckGracePeriod", 0)),
        zones=tuple(properties.get("AvailabilityZones", zones)),
    )


def _hook(properties: Mapping[str, Any]) -> Hook:
    if properties["LifecycleTransition"] != "autoscaling:EC2_INSTANCE_TERMINATING":
        raise ValueError(
            f"the rig's hooks are for instances that end, not {properties['LifecycleTransition']}"
        )
    timeout = float(properties.get("HeartbeatTimeout", DEFAULT_HOOK))
    if not SHORTEST_HOOK <= timeout <= LONGEST_HOOK:
        raise ValueError(f"HeartbeatTimeout: {timeout:g} is not within {SHORTEST_HOOK} to {LONGEST_HOOK}")
    return Hook(properties["LifecycleHookName"], timeout, str(properties.get("DefaultResult", "ABANDON")))


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"  # templates hold both booleans and their names
