"""Auto Scaling groups -> without instances, each of which has left in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from iraas.deploy.account import Account
from iraas.deploy.refusals import in_words

LOOK_SECONDS = 5.0
MOST_SECONDS = 900.0  # the hooks end after minutes; what is left then is left to CloudFormation
MOST_AT_ONCE = 50  # instances in one SetInstanceProtection


def drain(
    account: Account,
    groups: Sequence[str],
    on_progress: Callable[[int], object],
    *,
    rest: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Have the groups hold no instance, and wait -> instances that are left after `MOST_SECONDS`.

    With instances that still work, an emptied bucket would not stay empty. Protection from scale-in, which busy
    instances have, is taken from them. Groups that are not there are passed over.
    """
    client = account.client("autoscaling")
    deadline = clock() + MOST_SECONDS
    asked: set[str] = set()
    while True:
        with in_words("draining the groups"):
            there = describe(account, groups)
            for group in there:
                name = group["AutoScalingGroupName"]
                if name not in asked:
                    client.update_auto_scaling_group(
                        AutoScalingGroupName=name, MinSize=0, MaxSize=0, DesiredCapacity=0
                    )
                    asked.add(name)
                _unprotect(client, name, group["Instances"])
        left = sum(len(group["Instances"]) for group in there)
        on_progress(left)
        if not left or clock() > deadline:
            return left
        rest(LOOK_SECONDS)


def describe(account: Account, groups: Sequence[str]) -> list[Any]:
    """The groups that are there, as DescribeAutoScalingGroups says them."""
    return account.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=list(groups)
    )


def _unprotect(client: Any, group: str, instances: Sequence[Any]) -> None:
    ids = [
        one["InstanceId"]
        for one in instances
        if one.get("ProtectedFromScaleIn") and one["LifecycleState"] == "InService"
    ]
    for start in range(0, len(ids), MOST_AT_ONCE):
        client.set_instance_protection(
            AutoScalingGroupName=group,
            InstanceIds=ids[start : start + MOST_AT_ONCE],
            ProtectedFromScaleIn=False,
        )
