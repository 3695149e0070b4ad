"""What a stack has, keeps and shows."""

from __future__ import annotations

import json
import re

import pytest
from tests.aws_page import PAGE
from tests.stack_template import service

from iraas.settings import Settings
from iraas.telemetry import LOG_EVENTS

DAY = 86_400  # seconds
DEFAULT = {name: field.default for name, field in Settings.model_fields.items()}
LOGICAL_IDS = [
    "RequestQueue",
    "DeadLetterQueue",
    "InputBucket",
    "ResultBucket",
    "ArtifactsBucket",
    "ApiKeysSecret",
    "AppRole",
    "WebRole",
    "AppProfile",
    "WebProfile",
    "AppLaunchTemplate",
    "WebLaunchTemplate",
    "AppGroup",
    "WebGroup",
    "AppHook",
    "WebHook",
    "Balancer",
    "BalancerTargets",
    "BalancerSecurityGroup",
    "WebSecurityGroup",
    "AppSecurityGroup",
    "StorageEndpoint",
    "LogGroup",
    "Dashboard",
    "CostAlarm",
]


def test_everything_has_its_name():
    """The names that commands, rig and pages rely on are there, some of them only when asked for."""
    everything = service(
        RouteTables="rtb-1", MonthlyCostLimit="50", CostEmail="ann@example.com", AllowHttp="true"
    )
    assert set(LOGICAL_IDS) <= set(everything.resources)
    assert set(LOGICAL_IDS) - set(service().resources) == {"StorageEndpoint", "CostAlarm"}
    assert set(everything.outputs) == {
        "Address", "RequestQueueUrl", "DeadLetterQueueUrl", "InputBucket", "ResultBucket", "ArtifactsBucket",
        "AppGroup", "WebGroup", "LogGroup", "ApiKeysSecret", "DashboardUrl",
    }  # fmt: skip


def test_queues_are_as_the_settings_say():
    """Visibility timeout, deliveries and days; dead letters outlive the queue they leave, and no picture."""
    stack = service()
    requests, dead = (stack.resources[name].properties for name in ("RequestQueue", "DeadLetterQueue"))

    for queue in (requests, dead):
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["VisibilityTimeout"] == DEFAULT["visibility_timeout"]
    assert requests["MessageRetentionPeriod"] == DEFAULT["queue_days"] * DAY
    assert DEFAULT["queue_days"] * DAY < dead["MessageRetentionPeriod"] < DEFAULT["inputs_days"] * DAY
    assert requests["RedrivePolicy"] == {
        "deadLetterTargetArn": "arn:aws:sqs:REGION:ACCOUNT:STACK-dead-letters",
        "maxReceiveCount": DEFAULT["max_receives"],
    }


def test_buckets_are_closed_encrypted_and_forgetful():
    """No public access, no versions, no foreign owners, and each keeps things as long as the settings say."""
    buckets = service().of("AWS::S3::Bucket")
    days = {
        "InputBucket": DEFAULT["inputs_days"],
        "ResultBucket": DEFAULT["answers_days"],
        "ArtifactsBucket": None,
    }
    assert set(buckets) == set(days)
    for name, bucket in buckets.items():
        properties = bucket.properties
        assert list(properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
        [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        assert "VersioningConfiguration" not in properties
        [rule] = properties["LifecycleConfiguration"]["Rules"]
        assert (rule["Status"], rule.get("ExpirationInDays")) == ("Enabled", days[name])
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_nothing_is_left_behind_and_nothing_is_lost():
    """What holds data goes with the stack, and CloudFormation refuses to delete a bucket in which something lies."""
    for found in (
        service().of("AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret").values()
    ):
        assert found.whole["DeletionPolicy"] == "Delete"


def test_costs_are_told_when_asked_for():
    """A budget of so many dollars a month, and somebody who is told before and when it is passed."""
    budget = service(MonthlyCostLimit="50", CostEmail="ann@example.com").resources["CostAlarm"].properties
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
    told = budget["NotificationsWithSubscribers"]
    assert {item["Notification"]["NotificationType"] for item in told} == {"FORECASTED", "ACTUAL"}
    assert {who["Address"] for item in told for who in item["Subscribers"]} == {"ann@example.com"}


def test_a_budget_for_somebody_else_can_take_its_place():
    """Who is told is create-only: the new budget is made while the old one is there, and no two have one name."""
    budget = service(MonthlyCostLimit="50", CostEmail="ann@example.com").resources["CostAlarm"].properties
    assert "BudgetName" not in budget["Budget"]


def test_the_dashboard_shows_what_there_is():
    """It is JSON; its metrics are published by somebody, its decisions are logged, its price is the page's."""
    stack = service()
    board = json.loads(stack.resources["Dashboard"].properties["DashboardBody"])
    ours = {
        item[1] for widget in board["widgets"] for item in widget["properties"].get("metrics", []) if item[0] == "iraas"
    }  # fmt: skip
    assert ours == {"Visible", "InFlight", "Responses", "Accepted", "Wanted"}
    [decisions] = [widget for widget in board["widgets"] if widget["type"] == "log"]
    [event] = re.findall(r"event = '([\w.]+)'", decisions["properties"]["query"])
    assert event in LOG_EVENTS
    assert decisions["properties"]["query"].startswith("SOURCE '/iraas/STACK'")
    [text] = [widget for widget in board["widgets"] if widget["type"] == "text"]
    page = PAGE.read_text()
    [together] = re.findall(r"\| Together +\|[^|]*\| +([\d.]+) \|", page)
    assert f"**{together} USD**" in text["properties"]["markdown"]
    shares = re.findall(r"(?:requests|storage|and) ([\d.]+\d)", text["properties"]["markdown"])
    assert sum(map(float, shares)) == pytest.approx(float(together), abs=0.015)
    for widget in board["widgets"]:
        assert widget["x"] + widget["width"] <= 24
