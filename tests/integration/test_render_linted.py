"""iraas.scaling.render: cfn-lint finds nothing in what it renders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.scaling.plans import simple_alarms, step_alarms, tracking

from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.render import default_web_plan, render

APP = {
    "steps": step_alarms("backlog", period=10.0),
    "steps, percent": step_alarms("cpu", high=0.5, low=0.1),
    "cooldown": simple_alarms(missing="notBreaching"),
    "tracking": tracking(),
    "tracking, cpu": tracking("cpu", 0.5, disable_in=True),
    "controller": Staffing(),
    "together": Combined(
        parts=(step_alarms("backlog"), step_alarms("responses"), step_alarms("cpu", high=0.5, low=0.1))
    ),
    "mixed": Combined(parts=(tracking(), step_alarms(periods=15, missing="notBreaching"))),
}


def group(name):
    return {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "MinSize": "0",
            "MaxSize": "10",
            "AvailabilityZones": {"Fn::GetAZs": ""},
            "LaunchTemplate": {"LaunchTemplateName": name, "Version": "1"},
        },
    }


def template(policy):
    """The smallest that has what the rendered part refers to, and the default web tier beside it."""
    resources = {
        "AppGroup": group("app"),
        "WebGroup": group("web"),
        "RequestQueue": {
            "Type": "AWS::SQS::Queue",
            "UpdateReplacePolicy": "Delete",
            "DeletionPolicy": "Delete",
            "Properties": {"MessageRetentionPeriod": 345600},
        },
        **render(Plan(maximum=50, policy=policy), tier="app"),
        **render(default_web_plan(), tier="web"),
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What cfn-lint says of each template, by its file; all in one run, since it takes long to begin."""
    folder = tmp_path_factory.mktemp("templates")
    wrong = template(Staffing())
    wrong["Resources"]["AppOutAlarm"]["Properties"]["ComparisonOperator"] = "More"
    for name, whole in {**{name: template(policy) for name, policy in APP.items()}, "wrong": wrong}.items():
        (folder / f"{name}.json").write_text(json.dumps(whole))
    command = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--format", "json"]
    files = sorted(folder.glob("*.json"))
    run = subprocess.run([*command, "--regions", "eu-west-1", "-t", *files], capture_output=True, check=False)
    found = {}
    for each in json.loads(run.stdout):
        found.setdefault(each["Filename"].rsplit("/", 1)[-1].removesuffix(".json"), []).append(
            each["Message"]
        )
    return found


@pytest.mark.parametrize("name", APP)
def test_nothing_is_found(findings, name):
    """Neither an error nor a warning nor an advice, for any kind of policy."""
    assert findings.get(name, []) == []


def test_something_would_be_found(findings):
    """The linter does read these templates."""
    assert any("'More' is not one of" in message for message in findings["wrong"])
