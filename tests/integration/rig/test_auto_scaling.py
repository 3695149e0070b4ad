"""The rig's Auto Scaling as the AWS SDK sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.doubles.program import REGION
from tests.doubles.program import credentials as session
from tests.integration.rig.memory_machines import HOOK, MemoryMachines
from tests.rig.auto_scaling import AutoScaling
from tests.rig.clock import RigClock
from tests.rig.group import Group
from tests.rig.group_spec import GroupSpec
from tests.waiting import until

from iraas.fleet.ec2_client import instance_client
from iraas.fleet.ec2_group import ATTEMPTS, READ_SECONDS, InstanceGroup


class Asked:
    """The service and a client."""

    def __init__(self, service: AutoScaling) -> None:
        self.service = service
        self.group = service.groups["app"]
        self.client = session().create_client(
            "autoscaling", region_name=REGION, endpoint_url=service.endpoint
        )

    async def call(self, name: str, **parameters: object) -> dict[str, object]:
        """Beside this loop, which the service needs."""
        return await asyncio.to_thread(getattr(self.client, name), **parameters)

    async def refusal(self, name: str, **parameters: object) -> tuple[str, str]:
        """Code and message of a call that must fail."""
        with pytest.raises(ClientError) as refused:
            await self.call(name, **parameters)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]

    async def until(self, *states: str) -> list[str]:
        """The instances, once they are in these states, the oldest first."""
        members = self.group.roster.members
        await asyncio.to_thread(
            until, lambda: [member.state for member in members()] == list(states), what=str(states)
        )
        return [member.id for member in members()]


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    """A group that wants one instance of at most three."""
    async with AutoScaling() as service:
        spec = GroupSpec("app", least=0, most=3, desired=1, hook=HOOK)
        service.add(Group(spec, MemoryMachines(), RigClock(15)))
        parts = Asked(service)
        yield parts
        parts.client.close()
        assert service.failure is None


async def test_groups_are_described(asked):
    """As the SDK reads them, with their instances, or without."""
    [instance] = await asked.until("InService")
    [group] = (await asked.call("describe_auto_scaling_groups", AutoScalingGroupNames=["app"]))[
        "AutoScalingGroups"
    ]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 3, 1)
    assert abs(group["CreatedTime"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert group["Instances"] == [
        {
            "InstanceId": instance,
            "InstanceType": "c7i.large",
            "AvailabilityZone": "us-east-1a",
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": False,
        }
    ]
    [bare] = (await asked.call("describe_auto_scaling_groups", IncludeInstances=False))["AutoScalingGroups"]
    assert bare["Instances"] == []
    none = await asked.call("describe_auto_scaling_groups", AutoScalingGroupNames=["web"])
    assert none["AutoScalingGroups"] == []


async def test_an_instances_way_through_the_sdk(asked):
    """Desired capacity, protection, hook and activities: all by their calls."""
    await asked.until("InService")
    await asked.call("set_desired_capacity", AutoScalingGroupName="app", DesiredCapacity=2)
    first, second = await asked.until("InService", "InService")
    await asked.call(
        "set_instance_protection", AutoScalingGroupName="app", InstanceIds=[first], ProtectedFromScaleIn=True
    )
    described = (await asked.call("describe_auto_scaling_instances"))["AutoScalingInstances"]
    assert [(one["InstanceId"], one["ProtectedFromScaleIn"]) for one in described] == [
        (first, True),
        (second, False),
    ]
    await asked.call("set_desired_capacity", AutoScalingGroupName="app", DesiredCapacity=1)
    await asked.until("InService", "Terminating:Wait")
    place = {"AutoScalingGroupName": "app", "LifecycleHookName": HOOK.name, "InstanceId": second}
    await asked.call("record_lifecycle_action_heartbeat", **place)
    await asked.call("complete_lifecycle_action", **place, LifecycleActionResult="CONTINUE")
    await asked.until("InService")

    [ended, *_] = (await asked.call("describe_scaling_activities", AutoScalingGroupName="app", MaxRecords=1))[
        "Activities"
    ]
    assert ended["Description"] == f"Terminating EC2 instance: {second}"
    assert (ended["StatusCode"], ended["Progress"]) == ("Successful", 100)
    assert ended["StartTime"] <= ended["EndTime"]
    assert "changing the desired capacity from 2 to 1" in ended["Cause"]


async def test_an_instance_is_terminated_by_request(asked):
    """The answer is its activity, still under way."""
    [instance] = await asked.until("InService")
    answer = await asked.call(
        "terminate_instance_in_auto_scaling_group", InstanceId=instance, ShouldDecrementDesiredCapacity=True
    )
    assert answer["Activity"]["StatusCode"] == "MidLifecycleAction"
    assert await asked.until("Terminating:Wait") == [instance]


async def test_what_is_refused_is_refused_as_aws_does(asked):
    """ValidationError in AWS's words, which `iraas instance` reads."""
    [instance] = await asked.until("InService")
    place = {"AutoScalingGroupName": "app", "LifecycleHookName": HOOK.name, "InstanceId": instance}
    code, message = await asked.refusal(
        "complete_lifecycle_action", **place, LifecycleActionResult="CONTINUE"
    )
    assert (code, message) == (
        "ValidationError",
        f"No active Lifecycle Action found with instance ID {instance}",
    )
    unknown = [
        (
            "complete_lifecycle_action",
            place | {"LifecycleHookName": "x", "LifecycleActionResult": "CONTINUE"},
        ),
        ("record_lifecycle_action_heartbeat", place | {"InstanceId": "i-0"}),
        ("record_lifecycle_action_heartbeat", place | {"AutoScalingGroupName": "web"}),
        ("set_desired_capacity", {"AutoScalingGroupName": "app", "DesiredCapacity": 4}),
        (
            "terminate_instance_in_auto_scaling_group",
            {"InstanceId": "i-0", "ShouldDecrementDesiredCapacity": False},
        ),
        ("describe_scaling_activities", {"AutoScalingGroupName": "web"}),
    ]
    for name, parameters in unknown:
        assert (await asked.refusal(name, **parameters))[0] == "ValidationError", name


async def test_what_the_rig_does_not_know_is_named(asked):
    """Neither an action nor a parameter is passed over in silence."""
    code, message = await asked.refusal("execute_policy", PolicyName="out")
    assert code == "InvalidAction"
    assert "ExecutePolicy" in message
    code, message = await asked.refusal("describe_scaling_activities", IncludeDeletedGroups=True)
    assert "IncludeDeletedGroups" in message


async def test_an_instances_own_calls(asked, monkeypatch, credentials):
    """Whether a hook waits is no error: it may not yet, or no longer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", asked.service.endpoint)
    [instance] = await asked.until("InService")
    own = InstanceGroup(
        lambda: instance_client(
            session(), "autoscaling", region=REGION, attempts=ATTEMPTS, read_seconds=READ_SECONDS
        ),
        name="app",
        hook=HOOK.name,
    )
    assert not await asyncio.to_thread(own.beat, instance)
    assert not await asyncio.to_thread(own.complete, instance)
    await asyncio.to_thread(own.protect, instance, protected=True)
    assert asked.group.roster.member(instance).protected
    asked.group.terminate(instance, decrement=True)
    assert await asyncio.to_thread(own.beat, instance)
    assert await asyncio.to_thread(own.complete, instance)
    await asked.until()
    assert not await asyncio.to_thread(own.complete, instance)
