"""HTTP in AWS's query protocol <-> the rig's groups. EC2 Auto Scaling on 127.0.0.1, as far as iraas asks for it.

`AWS_ENDPOINT_URL_AUTO_SCALING` leads the SDK here. What it does not know is an error that names it. It asks nobody for
credentials: who may call what is the template's test.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Self

from aiohttp import web

from tests.rig.activities import Activity
from tests.rig.group import Group
from tests.rig.member import Member
from tests.rig.query_protocol import Parameters, QueryError, Value, answer, refusal
from tests.rig.roster import Refused

TICK = 0.05  # real seconds
Result = dict[str, Value] | None


class AutoScaling:
    """All groups of a rig, and their endpoint, while the `async with` block runs."""

    def __init__(self, account: str = "000000000000", region: str = "us-east-1") -> None:
        self.groups: dict[str, Group] = {}
        self.endpoint = ""
        self.calls: Counter[str] = Counter()  # by action; the refused ones, too
        self.failure: BaseException | None = None  # of the rig itself: a test should look
        self._arn = f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup"
        self._actions: dict[str, Callable[[Parameters], Result]] = {
            "CompleteLifecycleAction": self._complete,
            "DescribeAutoScalingGroups": self._describe_groups,
            "DescribeAutoScalingInstances": self._describe_instances,
            "DescribeScalingActivities": self._describe_activities,
            "RecordLifecycleActionHeartbeat": self._heartbeat,
            "SetDesiredCapacity": self._set_desired,
            "SetInstanceProtection": self._protect,
            "TerminateInstanceInAutoScalingGroup": self._terminate,
        }

    def add(self, group: Group) -> Group:
        """One more group."""
        self.groups[group.spec.name] = group
        return group

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/", self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.endpoint = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        await self._runner.cleanup()
        for group in self.groups.values():
            await group.close()

    async def _tick(self) -> None:
        while True:
            for group in list(self.groups.values()):
                try:
                    group.tick()
                except Exception as error:
                    self.failure = error
                    logging.getLogger(__name__).exception("a group of the rig failed")
            await asyncio.sleep(TICK)

    async def _serve(self, request: web.Request) -> web.Response:
        form = await request.post()
        parameters = Parameters({name: str(value) for name, value in form.items()})
        self.calls[parameters.action] += 1
        try:
            action = self._actions.get(parameters.action)
            if action is None:
                raise QueryError(
                    "InvalidAction", f"the rig's Auto Scaling does not know {parameters.action!r}"
                )
            result = action(parameters)
        except Refused as error:
            return _xml(refusal("ValidationError", str(error)), 400)
        except QueryError as error:
            return _xml(refusal(error.code, str(error)), 400)
        return _xml(answer(parameters.action, result), 200)

    # actions

    def _complete(self, asked: Parameters) -> Result:
        group, hook, instance = self._group(asked), asked.text("LifecycleHookName"), asked.text("InstanceId")
        result = asked.text("LifecycleActionResult")
        asked.done()
        group.complete(instance, hook, result)
        return {}

    def _heartbeat(self, asked: Parameters) -> Result:
        group, hook, instance = self._group(asked), asked.text("LifecycleHookName"), asked.text("InstanceId")
        asked.done()
        group.heartbeat(instance, hook)
        return {}

    def _protect(self, asked: Parameters) -> Result:
        group, instances = self._group(asked), asked.texts("InstanceIds")
        protected = asked.flag("ProtectedFromScaleIn")
        asked.done()
        group.protect(instances, protected=protected)
        return {}

    def _set_desired(self, asked: Parameters) -> Result:
        group, capacity = self._group(asked), int(asked.text("DesiredCapacity"))
        asked.flag("HonorCooldown", "false")  # there is none
        asked.done()
        group.set_desired(capacity, "a user request explicitly set group desired capacity")
        return None

    def _terminate(self, asked: Parameters) -> Result:
        instance, decrement = asked.text("InstanceId"), asked.flag("ShouldDecrementDesiredCapacity")
        asked.done()
        for group in self.groups.values():
            if instance in group.roster.everyone:
                return {"Activity": _activity(group, group.terminate(instance, decrement=decrement).activity)}
        raise Refused(f"Instance Id not found - No managed instance found for instance ID: {instance}")

    def _describe_groups(self, asked: Parameters) -> Result:
        names = asked.texts("AutoScalingGroupNames")
        include = asked.flag("IncludeInstances", "true")
        asked.text("MaxRecords", "")
        asked.done()
        chosen = [group for name, group in self.groups.items() if not names or name in names]
        return {"AutoScalingGroups": [self._in_full(group, include=include) for group in chosen]}

    def _describe_instances(self, asked: Parameters) -> Result:
        instances = asked.texts("InstanceIds")
        asked.text("MaxRecords", "")
        asked.done()
        return {
            "AutoScalingInstances": [
                {**_instance(member), "AutoScalingGroupName": group.spec.name}
                for group in self.groups.values()
                for member in group.roster.members()
                if not instances or member.id in instances
            ]
        }

    def _describe_activities(self, asked: Parameters) -> Result:
        name, most = asked.text("AutoScalingGroupName", ""), int(asked.text("MaxRecords", "100"))
        asked.done()
        if name and name not in self.groups:
            raise Refused(f"Group {name} not found")
        found = [
            (activity.begun, _activity(group, activity))
            for group in self.groups.values()
            if not name or group.spec.name == name
            for activity in group.roster.activities.latest()
        ]
        latest = sorted(found, key=lambda pair: -pair[0])[:most]
        return {"Activities": [activity for _begun, activity in latest]}

    def _group(self, asked: Parameters) -> Group:
        name = asked.text("AutoScalingGroupName")
        if name not in self.groups:
            raise Refused(f"AutoScalingGroup name not found - no such group: {name}")
        return self.groups[name]

    def _in_full(self, group: Group, *, include: bool) -> dict[str, Value]:
        return {
            "AutoScalingGroupName": group.spec.name,
            "AutoScalingGroupARN": f"{self._arn}:0:autoScalingGroupName/{group.spec.name}",
            "MinSize": group.spec.least,
            "MaxSize": group.spec.most,
            "DesiredCapacity": group.desired,
            "DefaultCooldown": 300,
            "AvailabilityZones": list(group.spec.zones),
            "HealthCheckType": "ELB" if group.spec.asks_balancer else "EC2",
            "HealthCheckGracePeriod": int(group.spec.grace),
            "CreatedTime": group.roster.at(0.0),
            "CapacityRebalance": group.spec.rebalances,
            "NewInstancesProtectedFromScaleIn": group.spec.protected,
            "TerminationPolicies": ["Default"],
            "Instances": [_instance(member) for member in group.roster.members()] if include else [],
        }


def _instance(member: Member) -> dict[str, Value]:
    return {
        "InstanceId": member.id,
        "InstanceType": member.metadata.instance_type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.state,
        "HealthStatus": "Healthy" if member.healthy else "Unhealthy",
        "ProtectedFromScaleIn": member.protected,
    }


def _activity(group: Group, activity: Activity) -> dict[str, Value]:
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": activity.group,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": group.roster.at(activity.begun),
        "EndTime": None if activity.ended is None else group.roster.at(activity.ended),
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "Progress": activity.progress,
    }


def _xml(text: str, status: int) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml")
