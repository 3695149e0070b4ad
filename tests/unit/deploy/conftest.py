"""AWS in memory, a stack in it, and a release to be uploaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.deploy.aws import Aws
from tests.unit.deploy.buckets import Buckets
from tests.unit.deploy.stacks import Stacks

from iraas.deploy.release import Release
from iraas.deploy.stack import Stack

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
