"""AWS in memory, a stack in it, and a release to be uploaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.deploy.aws import Aws
from tests.unit.deploy.buckets import Buckets
from tests.unit.deploy.offers import Offers
from tests.unit.deploy.stacks import Stacks

from iraas.deploy.release import Release
from iraas.deploy.rollout import Wanted
from iraas.deploy.stack import Stack, State

BUCKET = "photos-artifactsbucket"


@pytest.fixture
def aws() -> Aws:
    """Nothing is there, and nobody answers yet."""
    return Aws()


@pytest.fixture
def stacks(aws: Aws) -> Stacks:
    """CloudFormation, without a stack."""
    return Stacks(aws)


@pytest.fixture
def offers(aws: Aws) -> Offers:
    """EC2's instance types, all of which there are in both zones."""
    return Offers(aws)


@pytest.fixture
def buckets(aws: Aws) -> Buckets:
    """S3, with the bucket for releases."""
    buckets = Buckets(aws)
    buckets.objects[BUCKET] = {}
    return buckets


@pytest.fixture
def stack(aws: Aws, stacks: Stacks) -> Stack:
    """The stack `photos`, which may not be there; time is what the double makes it."""
    return Stack(aws.account(), "photos", rest=stacks.rest, clock=lambda: float(stacks.rests))


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A small file instead of 250 MB."""
    path = tmp_path / "iraas-0.1.0-x86_64-0123456789ab.tar"
    path.write_bytes(b"release" * 1000)
    return Release(path, hashlib.sha256(path.read_bytes()).hexdigest(), f"releases/{path.name}")


@pytest.fixture
def wanted(release):
    """A stack with one parameter, which it keeps."""

    def parameters(state: State | None) -> list[dict[str, Any]]:
        if state is None:
            return [{"ParameterKey": "AppMax", "ParameterValue": "3"}]
        return [{"ParameterKey": "AppMax", "UsePreviousValue": True}]

    return Wanted(
        lambda state: "{}" if state is None else '{"new": 1}', parameters, release, {"iraas": "photos"}
    )


@pytest.fixture
def made(stacks, buckets):
    """What CloudFormation does when it makes or changes the stack, and all goes well."""

    def run(kind: str) -> None:
        stacks.on_execute = [
            lambda: stacks.happens("ArtifactsBucket", f"{kind}_IN_PROGRESS"),
            lambda: stacks.happens("ArtifactsBucket", f"{kind}_COMPLETE"),
            lambda: stacks.happens("RequestQueue", f"{kind}_COMPLETE", kind="AWS::SQS::Queue"),
            lambda: stacks.ends(f"{kind}_COMPLETE"),
        ]

    return run


@pytest.fixture
def there(stacks, buckets, made):
    """A stack that was made before, with a release in its bucket or without."""

    def be(status: str) -> None:
        stacks.begins("CREATE_IN_PROGRESS")
        stacks.happens("ArtifactsBucket", "CREATE_COMPLETE")
        stacks.parameters = [{"ParameterKey": "AppMax", "ParameterValue": "3"}]
        stacks.ends(status)
        made("UPDATE")

    return be
