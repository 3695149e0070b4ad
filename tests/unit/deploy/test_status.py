"""What a deployment does, asked from every service that knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.unit.deploy.aws import refused

from iraas.cli.status import as_text
from iraas.deploy.bill import PRICES, read_prices
from iraas.deploy.status import look
from iraas.errors import ConfigurationError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PRICED = read_prices(PRICES)


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


def decided(before: int, after: int, reason: str) -> str:
    return json.dumps({"event": "scaling.decided", "before": before, "after": after, "reason": reason})


@pytest.fixture
def service(aws, stacks, monkeypatch):
    """A service that works: two web instances, one app instance on its way in and one on its way out."""
    monkeypatch.setattr("iraas.deploy.status.answers", lambda address: address == "http://balancer.example")
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("AppOutAlarm", "CREATE_COMPLETE", kind="AWS::CloudWatch::Alarm")
    stacks.ends("CREATE_COMPLETE")
    stacks.outputs |= {
        "RequestQueueUrl": "https://sqs/1/photos-requests",
        "DeadLetterQueueUrl": "https://sqs/1/photos-dead-letters",
        "WebGroup": "photos-web",
        "AppGroup": "photos-app",
        "LogGroup": "/iraas/photos",
    }
    groups = [
        group("photos-web", 2, instance("i-1", "InService"), instance("i-2", "InService")),
        group("photos-app", 1, instance("i-3", "Pending"), instance("i-4", "Terminating:Wait")),
    ]
    counts = {"ApproximateNumberOfMessages": "17", "ApproximateNumberOfMessagesNotVisible": "3"}
    aws.on("sqs", "GetQueueAttributes", lambda **_: {"Attributes": counts})
    aws.on("autoscaling", "DescribeAutoScalingGroups", lambda **_: {"AutoScalingGroups": groups})
    aws.on("autoscaling", "DescribeScalingActivities", activities)
    aws.on("ec2", "DescribeInstances", instances)
    aws.on("cloudwatch", "DescribeAlarms", alarms)
    aws.on("logs", "FilterLogEvents", logged)
    return stacks


def activities(AutoScalingGroupName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
    if AutoScalingGroupName != "photos-app":
        return {"Activities": []}
    return {
        "Activities": [
            {
                "ActivityId": "1",
                "AutoScalingGroupName": AutoScalingGroupName,
                "Cause": "At 2026-11-22T11:59:00Z a monitor alarm photos-AppOutAlarm\n changed the desired capacity",
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


def test_everything_that_there_is_to_say(stack, service):
    """Queues, instances by state, alarms of both kinds, decisions, cost, and whether it answers."""
    found = look(stack, PRICED, now=NOW)

    assert (found.status, found.answers) == ("CREATE_COMPLETE", True)
    assert [(queue.name, queue.visible, queue.in_flight) for queue in found.queues] == [
        ("requests", 17, 3),
        ("dead-letters", 17, 3),
    ]
    assert found.instances == {"web": {"InService": 2}, "app": {"Pending": 1, "Terminating:Wait": 1}}
    assert found.wanted == {"web": 2, "app": 1}
    assert [alarm.name for alarm in found.alarms] == [
        "photos-appoutalarm",
        "TargetTracking-photos-web-AlarmHigh-1",
    ]
    assert [(one.tier, one.what) for one in found.decisions] == [
        ("app", "At 2026-11-22T11:59:00Z a monitor alarm photos-AppOutAlarm changed the desired capacity"),
        ("app", "0 -> 1: 17 wait"),
    ]
    assert found.spent.instances == pytest.approx(2 * (0.0208 + 0.005) + 0.08925 + 0.005)
    assert found.unknown == []


def test_people_and_programs_read_the_same(stack, service):
    """The text names each thing; the JSON can be read back."""
    found = look(stack, PRICED, now=NOW)
    text = as_text(found)
    for words in ("photos in us-east-1 is CREATE_COMPLETE", "http://balancer.example answers", "17", "1 Pending",
                  "TargetTracking-photos-web-AlarmHigh-1", "0 -> 1: 17 wait", "an hour now"):  # fmt: skip
        assert words in text
    assert json.loads(msgspec.json.encode(found))["queues"][0] == {
        "name": "requests",
        "visible": 17,
        "in_flight": 3,
    }


def test_what_one_may_not_ask_is_said_and_the_rest_is_shown(aws, stack, service):
    """A reader without a right to the log sees the queues all the same."""

    def denied(**_: Any) -> dict[str, Any]:
        raise refused(
            "AccessDeniedException", "not authorized to perform: logs:FilterLogEvents on resource: x:y"
        )

    aws.on("logs", "FilterLogEvents", denied)
    found = look(stack, PRICED, now=NOW)
    assert len(found.queues) == 2
    [unknown] = found.unknown
    assert "logs:FilterLogEvents" in unknown
    assert f"Not known: {unknown}" in as_text(found)


def test_a_stack_that_is_being_made_has_little_to_say(stack, stacks, aws):
    """No outputs yet: no questions about what is not there."""
    stacks.outputs = {}
    stacks.begins("CREATE_IN_PROGRESS")
    aws.on("autoscaling", "DescribeAutoScalingGroups", lambda **_: {"AutoScalingGroups": []})
    found = look(stack, PRICED, now=NOW)
    assert (found.answers, found.queues, found.instances) == (False, [], {})


def test_without_a_stack_the_line_says_what_to_do(stack, stacks):
    """Another region, or deploy."""
    with pytest.raises(ConfigurationError, match="there is no stack photos in us-east-1; say --region"):
        look(stack, PRICED, now=NOW)
