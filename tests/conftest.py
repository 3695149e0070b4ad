"""Fixtures for every kind of test."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

SHARED = Path(__file__).resolve().parents[2] / "shared"  # data beside the checkout, for those who have it


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
