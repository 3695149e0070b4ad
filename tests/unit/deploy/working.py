"""A service in the middle of its work: what each service of AWS has to say of it, in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.unit.deploy.aws import Aws
from tests.unit.deploy.stacks import Stacks

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def works(aws: Aws, stacks: Stacks) -> None:
    """Two web instances, one app instance on its way in and one on its way out; pictures wait."""
    name = stacks.name
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("AppOutAlarm", "CREATE_COMPLETE", kind="AWS::CloudWatch::Alarm")
    stacks.physical["AppOutAlarm"] = f"{name}-AppOutAlarm-1A2B3C4D5E6F"
    stacks.ends("CREATE_COMPLETE")
    stacks.outputs |= {
        "RequestQueueUrl": f"https://sqs/1/{name}-requests",
        "DeadLetterQueueUrl": f"https://sqs/1/{name}-dead-letters",
        "WebGroup": f"{name}-web",
        "AppGroup": f"{name}-app",
        "LogGroup": f"/iraas/{name}",
    }
    groups = [
        group(f"{name}-web", 2, instance("i-1", "InService"), instance("i-2", "InService")),
        group(f"{name}-app", 1, instance("i-3", "Pending"), instance("i-4", "Terminating:Wait")),
    ]
    counts = {"ApproximateNumberOfMessages": "17", "ApproximateNumberOfMessagesNotVisible": "3"}
    aws.on("sqs", "GetQueueAttributes", lambda **_: {"Attributes": counts})
    aws.on("autoscaling", "DescribeAutoScalingGroups", lambda **_: {"AutoScalingGroups": groups})
    aws.on("autoscaling", "DescribeScalingActivities", activities)
    aws.on("ec2", "DescribeInstances", instances)
    aws.on("cloudwatch", "DescribeAlarms", alarms)
    aws.on("logs", "FilterLogEvents", logged)


def instance(name: str, state: str) -> dict[str, Any]:
    return {
        "InstanceId": name,
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": state,
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }


def group(name: str, wanted: int, *instances: dict[str, Any]) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 9,
        "DesiredCapacity": wanted,
        "DefaultCooldown": 0,
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": NOW,
        "Instances": list(instances),
    }


def decided(before: int, capacity: int, reason: str) -> str:
    return json.dumps({"event": "scaling.decided", "before": before, "capacity": capacity, "reason": reason})


def activities(AutoScalingGroupName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
    if not AutoScalingGroupName.endswith("-app"):
        return {"Activities": []}
    return {
        "Activities": [
            {
                "ActivityId": "1",
                "AutoScalingGroupName": AutoScalingGroupName,
                "Cause": f"a monitor alarm {AutoScalingGroupName}-out in state ALARM\n set the capacity to 1",
                "StartTime": datetime(2026, 11, 22, 11, 59, tzinfo=UTC),
                "StatusCode": "Successful",
            }
        ]
    }


def instances(InstanceIds: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803
    return {
        "Reservations": [
            {
                "Instances": [
                    {
                        "InstanceId": name,
                        "InstanceType": "t3.small" if name in ("i-1", "i-2") else "c7i.large",
                        "LaunchTime": datetime(2026, 11, 22, 11, tzinfo=UTC),
                        "State": {"Name": "terminated" if name == "i-4" else "running"},
                    }
                    for name in InstanceIds
                ]
            }
        ]
    }


def alarms(AlarmNames: list[str] | None = None, AlarmNamePrefix: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
    names = AlarmNames or ([f"{AlarmNamePrefix}AlarmHigh-1"] if "web" in AlarmNamePrefix else [])
    return {
        "MetricAlarms": [{"AlarmName": name, "StateValue": "OK", "StateReason": "fine"} for name in names]
    }


def logged(**_: Any) -> dict[str, Any]:
    at = int(datetime(2026, 11, 22, 11, 58, tzinfo=UTC).timestamp() * 1000)
    lines = [decided(0, 1, "17 wait"), decided(0, 1, "17 wait"), "no JSON", '"no table"']
    return {"events": [{"timestamp": at + n, "message": line} for n, line in enumerate(lines)]}
