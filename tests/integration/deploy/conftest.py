"""Accounts on two independent stand-ins for AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.ministack import Ministack
from tests.doubles.moto_cloudformation import MotoCloudFormation
from tests.integration.deploy.cloud import Cloud, account


@pytest.fixture(scope="module")
def ministack() -> Iterator[Ministack]:
    """The one that makes, keeps and removes nearly all of a stack."""
    with Ministack() as running:
        yield running


@pytest.fixture
def cloud(ministack: Ministack, tmp_path: Path) -> Iterator[Cloud]:
    """An account with nothing in it, and with nothing in it afterwards."""
    with account(ministack, tmp_path) as found:
        yield found
        found.iraas("destroy", "photos", "--yes", "--empty-buckets")


@pytest.fixture(params=["ministack", "moto"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    """The same on each of two; moto anew for each test, since it forgets to remove what it made."""
    if request.param == "ministack":
        yield request.getfixturevalue("cloud")
        return
    with MotoCloudFormation() as running, account(running, tmp_path) as found:
        yield found
