"""Fixtures for every kind of test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from skimage import data as photographs

from tests.doubles import fauxqs
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs

SHARED = Path(__file__).resolve().parents[2] / "shared"  # data beside the checkout, for those who have it

# A pause of the machine is no failure of an example. What else the profile says (CI has one of its own) stays.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def missing(what: str) -> None:
    """A missing service or program fails in CI and skips at a desk. The one place that decides."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must have it")
    pytest.skip(f"{what} is missing here")


@pytest.fixture(scope="session")
def photos() -> Path:
    """Photographs with their classes; skips where the folder is absent."""
    folder = SHARED / "photos"
    if not folder.is_dir():
        pytest.skip("the folder of photographs is not here")
    return folder


@pytest.fixture(scope="session")
def pngsuite() -> Path:
    """Willem van Schaik's PNG edge cases; skips where the folder is absent."""
    folder = SHARED / "pngsuite"
    if not folder.is_dir():
        pytest.skip("the PNG suite is not here")
    return folder


@pytest.fixture(scope="session")
def cat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph of a tabby cat as PNG, 451 x 300 pixels."""
    path = tmp_path_factory.mktemp("pictures") / "cat.png"
    Image.fromarray(np.asarray(photographs.chelsea())).save(path)
    return path


@pytest.fixture(scope="session")
def credentials() -> Iterator[None]:
    """Keys that the stand-ins take, in this process's environment; real ones are out of reach meanwhile."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def sqs(credentials: None) -> Iterator[Fauxqs]:
    """SQS, as fauxqs plays it."""
    if fauxqs.node() is None:
        missing("fauxqs, which `make setup` installs,")
    with Fauxqs() as running:
        yield running


@pytest.fixture(scope="session")
def s3(credentials: None) -> Iterator[Seaweedfs]:
    """S3, as SeaweedFS plays it, with signatures that are checked."""
    with Seaweedfs() as running:
        yield running
