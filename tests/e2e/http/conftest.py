"""Clients of a real service, and services of a test file's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import httpx2
import pytest
from tests.e2e.http.states import client_of, resting, unforeseen
from tests.service import WITH_REPLACEMENTS, Service

Start = Callable[..., Service]


def timed_service(folders: pytest.TempPathFactory, **settings: str) -> Service:
    """A service with one worker, whose model takes no time."""
    named = {f"IRAAS_{name}": value for name, value in {"TEST_MODEL": "0", **settings}.items()}
    return Service(folders.mktemp("service") / "data", workers=1, command=WITH_REPLACEMENTS, settings=named)


@pytest.fixture(scope="session")
def api(service: Service) -> Iterator[httpx2.Client]:
    """A client of the service that all tests share; in the end, nothing unforeseen may have happened to that."""
    with client_of(service) as client:
        yield client
        assert unforeseen(service) == []


@pytest.fixture(scope="session")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a service whose labels are known beforehand: a picture whose mean is V gets `grey V`."""
    with timed_service(tmp_path_factory) as service, client_of(service) as client:
        yield client


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts services that end with the test file: `start(SETTING="…")`, with a timed model or another."""
    with ExitStack() as running:

        def starting(*, model: str = "0", **settings: str) -> Service:
            return running.enter_context(timed_service(tmp_path_factory, TEST_MODEL=model, **settings))

        yield starting


@pytest.fixture
def paused(service: Service, api: httpx2.Client) -> Callable[[], AbstractContextManager[None]]:
    """For a `with` block in which no worker of the shared service works: what is posted stays pending."""
    return lambda: resting(service, api)
