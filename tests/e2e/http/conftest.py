"""Clients of a real service, and services of a test file's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import httpx2
import pytest
from tests.e2e.http.states import client_of, resting
from tests.service import WITH_REPLACEMENTS, Service

Start = Callable[..., Service]


@pytest.fixture(scope="session")
def api(service: Service) -> Iterator[httpx2.Client]:
    """A client of the service that all tests share."""
    with client_of(service) as client:
        yield client


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts services that end with the test file: `start(SETTING="…")`.

    Their model takes no time, and answers `grey V` for a picture whose mean is V.
    """
    with ExitStack() as running:

        def starting(*, model: str = "0", **settings: str) -> Service:
            data = tmp_path_factory.mktemp("service") / "data"
            names = {f"IRAAS_{name}": value for name, value in settings.items()}
            return running.enter_context(
                Service(
                    data,
                    workers=1,
                    command=WITH_REPLACEMENTS,
                    settings={"IRAAS_TEST_MODEL": model, **names},
                )
            )

        yield starting


@pytest.fixture
def paused(service: Service, api: httpx2.Client) -> Callable[[], AbstractContextManager[None]]:
    """For a `with` block in which no worker of the shared service works: what is posted stays pending."""
    return lambda: resting(service, api)
