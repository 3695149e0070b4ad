"""A kind of instances for the rig, a queue service that counts replies, and the key of its clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from tests.doubles.fauxqs import Fauxqs
from tests.rig.machines.choose import Choice, choose
from tests.rig.scenario import API_KEY, prepare

from iraas.cli.open_files import raise_open_files_limit


@pytest.fixture(scope="session")
def choice(pytestconfig: pytest.Config) -> Choice:
    """The best kind of instances that this machine allows; the run says which."""
    found = asyncio.run(choose())
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{found.why}")  # noqa: T201 - a word to whoever runs this
    raise_open_files_limit()  # balancer and forwarders are in this process, with three connections for each client
    prepare(found)
    return found


@pytest.fixture
def own_sqs(credentials: None) -> Iterator[Fauxqs]:
    """A queue service of its own: its replies are counted."""
    with Fauxqs() as running:
        yield running


@pytest.fixture(autouse=True)
def api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the clients say."""
    monkeypatch.setenv("IRAAS_API_KEY", API_KEY)
