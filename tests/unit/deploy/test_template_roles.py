"""What instances may do is what docs/aws.md says, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.aws_page import TIERS as ON_THE_PAGE
from tests.aws_page import table, table_of_groups
from tests.stack_template import image, service

ROLES = {"web": "WebRole", "worker": "AppRole"}  # tier of the page -> logical id
# AWS knows no resources for these ("Actions, resources, and condition keys": CloudWatch, EC2 Auto Scaling).
WITHOUT_RESOURCES = {
    "autoscaling:DescribeAutoScalingGroups",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
}


class Line(NamedTuple):
    """What one action is allowed on."""

    action: str
    resource: str
    key: str = ""
    value: str = ""


def lines(role: dict[str, Any]) -> Iterator[Line]:
    """What a role's own policies allow."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
            condition = statement.get("Condition", {"StringEquals": {"": ""}})
            [(key, value)] = condition["StringEquals"].items()
            for action in statement["Action"]:
                yield Line(action, statement["Resource"], key, value)


@pytest.mark.parametrize("tier", ROLES)
def test_a_role_has_the_lines_of_the_page(tier):
    """Both lists of the tier, each line once, and nothing else."""
    found = list(lines(service().resources[ROLES[tier]].properties))
    page = [Line(row.action, row.resource) for row in table() if row.tier == tier]
    page += [
        Line(
            row.action, row.resource.replace("STACK-api-keys-*", "STACK-api-keys-abcdef"), row.key, row.value
        )
        for row in table_of_groups()
        if row.tier == tier
    ]
    assert sorted(found) == sorted(page)
    assert len(set(found)) == len(found)


def test_the_page_names_only_tiers_that_there_are():
    """No line of the list for groups is of nobody."""
    assert {row.tier for row in table_of_groups()} == set(ROLES) < set(ON_THE_PAGE)


@pytest.mark.parametrize("role", ["WebRole", "AppRole"])
def test_everything_is_allowed_on_something(role):
    """`*` stands only where AWS has no resources to name, and no action is a pattern."""
    for line in lines(service().resources[role].properties):
        assert "*" not in line.action
        assert (line.resource == "*") == (line.action in WITHOUT_RESOURCES), line
        assert line.resource == "*" or line.resource.startswith("arn:aws:")


def test_metrics_are_published_in_our_own_namespace_only():
    """A web process cannot forge the metrics of anything else in the account."""
    [line] = [
        line for line in lines(service().resources["WebRole"].properties) if line.action == "cloudwatch:PutMetricData"
    ]  # fmt: skip
    assert (line.key, line.value) == ("cloudwatch:namespace", "iraas")


def test_only_instances_take_the_roles_on():
    """EC2 and nobody else, with Session Manager's policy as the only one of AWS's."""
    for role in service().of("AWS::IAM::Role").values():
        [trust] = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        assert role.properties["ManagedPolicyArns"] == [
            "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
        ]


def test_who_builds_an_image_reads_one_release():
    """Beyond what Image Builder asks for."""
    [role] = image().of("AWS::IAM::Role").values()
    [line] = lines(role.properties)
    assert line == Line(
        "s3:GetObject", "arn:aws:s3:::STACK-ACCOUNT-artifacts/releases/iraas-0.1.0-x86_64-0123456789ab.tar"
    )
