"""One real service for all end-to-end tests that do no harm to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.service import Service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`iraas up` with two workers and the fast model."""
    with Service(tmp_path_factory.mktemp("service") / "data") as running:
        yield running
