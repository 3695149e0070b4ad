"""docs/deploy.md lists the actions that the commands ask for: none is missing, and none is too much."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from botocore.session import Session
from tests.unit.deploy.around import Groups, Images, Queues
from tests.unit.deploy.watched import Watched
from tests.unit.deploy.working import NOW, works

from iraas.deploy import refusals
from iraas.deploy.bill import PRICES, read_prices
from iraas.deploy.destroy import destroy, find
from iraas.deploy.refusals import NotDone
from iraas.deploy.rollout import roll_out
from iraas.deploy.status import look

SOURCES = sorted(Path(refusals.__file__).parent.glob("*.py"))
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "deploy.md").read_text()
SECTION = PAGE.split("## What you must be allowed to do")[1].split("\n## ")[0]
SERVICES = ("acm", "autoscaling", "cloudformation", "cloudwatch", "ec2", "logs", "s3", "sqs", "sts")
# Operations of S3 whose action is called otherwise ("Actions defined by Amazon S3", service authorization reference).
OF_S3 = {
    "AbortMultipartUpload": {"AbortMultipartUpload"},
    "CompleteMultipartUpload": {"PutObject"},
    "CreateMultipartUpload": {"PutObject"},
    "DeleteObjects": {"DeleteObject", "DeleteObjectVersion"},
    "HeadBucket": {"ListBucket"},
    "HeadObject": {"GetObject", "ListBucket"},  # the latter, that it is 404 and not 403
    "ListMultipartUploads": {"ListBucketMultipartUploads"},
    "ListObjectVersions": {"ListBucketVersions"},
    "ListObjectsV2": {"ListBucket"},
    "ListParts": {"ListMultipartUploadParts"},
    "UploadPart": {"PutObject"},
}
# Asked by AWS, with the rights of whoever calls: {{resolve:ssm:...}}, and DeleteAssociatedSnapshots.
BY_AWS = {"ssm:GetParameters", "ec2:DeleteSnapshot"}


def listed() -> dict[str, set[str]]:
    """Actions by command; those without a service are of the one that was named last."""
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (.*) \| (.*) \|$", SECTION, re.MULTILINE)[1:]:
        service, actions = "", set()
        for words in re.findall(r"`((?:[a-z0-9]+:)?[A-Z]\w+)`", row[1]):
            service, _, name = words.rpartition(":") if ":" in words else (service, "", words)
            actions.add(f"{service}:{name}")
        found[row[0].strip("`")] = actions
    return found


LISTED = listed()


def actions(service: str, operation: str) -> set[str]:
    """What one must be allowed to do for an operation."""
    return {f"{service}:{name}" for name in (OF_S3[operation] if service == "s3" else {operation})}


def asked(aws) -> set[str]:
    """What a command has needed so far."""
    return {one for name, _ in aws.asked for one in actions(*name.split("."))}


def in_the_sources() -> set[str]:
    """By the methods that are called, and by the names that paginators are asked for."""
    operations: dict[str, list[tuple[str, str]]] = {}
    for service in SERVICES:
        for name in Session().get_service_model(service).operation_names:
            operations.setdefault(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), []).append(
                (service, name)
            )
    words: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute):
                    words.add(node.func.attr)
                words |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
    return {
        action for word in words & operations.keys() for one in operations[word] for action in actions(*one)
    }


@pytest.fixture
def account_of(aws):
    """An account that says who it is, and has all that stands around a stack."""
    aws.on(
        "sts",
        "GetCallerIdentity",
        lambda: {"Account": "123456789012", "Arn": "arn:aws:iam::1:user/a", "UserId": "x"},
    )
    Images(aws)
    return Queues(aws), Groups(aws)


def test_the_page_lists_what_is_asked_and_no_more():
    """All commands together, by what stands in the sources."""
    assert set().union(*LISTED.values()) == in_the_sources() | BY_AWS


def test_a_first_deployment_needs_no_more_than_its_row(aws, stack, stacks, buckets, wanted, made):
    """A new stack and its release; then a change that is refused."""
    made("CREATE")
    roll_out(stack, wanted, Watched())
    stacks.wrong = [{"EventId": "1"}]
    with pytest.raises(NotDone):
        roll_out(stack, wanted, Watched())
    assert "cloudformation:DescribeEvents" in asked(aws)
    assert asked(aws) <= LISTED["all"] | LISTED["deploy"]


def test_clearing_a_dead_stack_away_needs_no_more_than_its_row(aws, stack, stacks, buckets, wanted, made):
    """Its buckets are looked into and emptied before it can be made anew."""
    bucket = "photos-artifactsbucket"
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
    stacks.ends("ROLLBACK_FAILED")
    buckets.objects[bucket] = {"releases/old.tar": b"..."}
    buckets._CreateMultipartUpload(bucket, "releases/x.tar", Metadata={})
    made("CREATE")
    roll_out(stack, wanted, Watched())
    assert {"s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListBucketVersions"} <= asked(aws)
    assert asked(aws) <= LISTED["all"] | LISTED["deploy"]


def test_an_end_needs_no_more_than_its_row(aws, stack, stacks, buckets, account_of):
    """Groups, buckets, queues and the stack."""
    queues, groups = account_of
    stacks.begins("CREATE_IN_PROGRESS")
    stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
    stacks.happens("AppGroup", "CREATE_COMPLETE", kind="AWS::AutoScaling::AutoScalingGroup")
    stacks.ends("CREATE_COMPLETE")
    groups.add("photos-appgroup", 1, protected=True)
    queues.urls = ["https://sqs/1/photos-responses-a"]
    assert destroy(stack, find(stack), Watched(), empty_buckets=True) == []
    assert {"sqs:GetQueueAttributes", "autoscaling:DescribeAutoScalingGroups"} <= asked(aws)
    assert asked(aws) <= LISTED["all"] | LISTED["destroy"]


def test_a_look_needs_no_more_than_its_row(aws, stack, stacks, monkeypatch):
    """And changes nothing."""
    monkeypatch.setattr("iraas.deploy.status.answers", lambda _: True)
    works(aws, stacks)
    look(stack, read_prices(PRICES), now=NOW)
    assert asked(aws) <= LISTED["all"] | LISTED["status"]
