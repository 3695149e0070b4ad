"""What a deployment does, asked from every service that knows."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.unit.deploy.aws import refused
from tests.unit.deploy.working import NOW, works

from iraas.cli.status import as_text
from iraas.deploy.bill import PRICES, read_prices
from iraas.deploy.status import look
from iraas.errors import ConfigurationError

PRICED = read_prices(PRICES)


@pytest.fixture
def service(aws, stacks, monkeypatch):
    """A service that works, and answers."""
    monkeypatch.setattr("iraas.deploy.status.answers", lambda address: address == "http://balancer.example")
    works(aws, stacks)
    return stacks


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
        "photos-AppOutAlarm-1A2B3C4D5E6F",
        "TargetTracking-photos-web-AlarmHigh-1",
    ]
    assert [(one.tier, one.what) for one in found.decisions] == [
        ("app", "a monitor alarm photos-app-out in state ALARM set the capacity to 1"),
        ("app", "0 -> 1: 17 wait"),
    ]
    assert found.spent.instances == pytest.approx(2 * (0.0208 + 0.005) + 0.08925 + 0.005)
    assert found.unknown == []


def test_people_and_programs_read_the_same(stack, service):
    """The text names each thing; the JSON can be read back."""
    found = look(stack, PRICED, now=NOW)
    text = as_text(found)
    for words in ("photos in us-east-1 is CREATE_COMPLETE", "http://balancer.example answers", "17", "1 Pending",
                  "TargetTracking-photos-web-AlarmHigh-1", "0 -> 1: 17 wait", "an hour."):  # fmt: skip
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
