"""An instance's metadata and its workers' numbers, over HTTP."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from tests.deployment import free_port
from tests.integration.scripted_server import babble, hang_up, reply, reset, serving
from tests.rig.metadata import InstanceMetadata

from iraas.errors import BackendUnavailable, ConfigurationError
from iraas.fleet import ec2_metadata, ec2_workers
from iraas.fleet.ec2_metadata import TOKEN_SECONDS, Metadata, Plans
from iraas.fleet.ec2_workers import held_by, is_busy, serve
from iraas.testing.manual_clock import ManualClock


class Served:
    """The rig's metadata service, and a client."""

    def __init__(self, metadata: InstanceMetadata, port: int) -> None:
        self.clock = ManualClock()
        self.metadata = metadata
        self.client = Metadata(clock=self.clock, endpoint=f"http://127.0.0.1:{port}/")

    async def plans(self) -> Plans:
        """Beside this loop, which the service needs."""
        return await asyncio.to_thread(self.client.plans)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """An instance in service."""
    listening = socket.create_server(("127.0.0.1", 0))
    metadata = InstanceMetadata(instance_id="i-0123456789abcdef0")
    server = await metadata.serve(listening)
    yield Served(metadata, listening.getsockname()[1])
    server.close()


async def test_what_is_meant_to_happen_is_read(served):
    """The target state, the time of an interruption, a recommendation; what is not there is none."""
    assert await asyncio.to_thread(served.client.instance_id) == "i-0123456789abcdef0"
    assert await served.plans() == Plans("InService", None, rebalance=False)
    served.metadata.target_lifecycle_state = "Terminated"
    served.metadata.spot_action = "2017-09-18T08:22:00Z"
    served.metadata.rebalance = "2017-09-18T08:20:00Z"

    assert await served.plans() == Plans("Terminated", 1_505_722_920.0, rebalance=True)


async def test_who_is_in_no_group_has_no_target_state(served):
    """An instance that was started by hand."""
    served.metadata.target_lifecycle_state = None
    assert (await served.plans()).target_state == ""


async def test_a_token_is_kept_and_renewed_in_time(served):
    """One PUT serves many looks; half its life later there is another."""
    for _ in range(3):
        await served.plans()
    assert len(served.metadata._tokens) == 1
    served.clock.advance(TOKEN_SECONDS / 2)
    await served.plans()
    assert len(served.metadata._tokens) == 2


async def test_a_token_that_is_refused_is_replaced(served):
    """A service that was started anew knows no old token."""
    await served.plans()
    served.metadata._tokens.clear()

    assert await served.plans() == Plans("InService")


@pytest.mark.parametrize(
    "script",
    [
        [reply(500)],
        [reply(200, b"token"), reply(503)],
        [reset],
        [hang_up],
        [babble],
        [reply(200, b"token"), reply(200, b"InService"), reply(200, b"no JSON")],
        [reply(200, b"token"), reply(200, b"InService"), reply(200, {"action": "terminate"})],
        [reply(200, b"token"), reply(200, b"InService"), reply(200, {"time": "soon"})],
        [reply(200, b"token"), reply(401), reply(200, b"token"), reply(401)],
    ],
    ids=["no token", "no item", "reset", "hung up", "babble", "no JSON", "no time", "no date", "no entry"],
)
def test_metadata_that_fails_is_unavailable(script):
    """Whatever it does, it is one error, which the next look may mend."""
    with serving(*script) as server, pytest.raises(BackendUnavailable, match="metadata: "):
        Metadata(clock=ManualClock(), endpoint=server.url).plans()


def test_metadata_that_is_silent_is_given_up(monkeypatch):
    """A look never hangs."""
    monkeypatch.setattr(ec2_metadata, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(BackendUnavailable, match="timed out"):
        Metadata(clock=ManualClock(), endpoint=f"http://127.0.0.1:{mute.getsockname()[1]}").plans()


@pytest.mark.parametrize("endpoint", ["169.254.169.254", "https://[fd00:ec2::254]", "http://"])
def test_an_endpoint_that_is_none_is_named(endpoint):
    """The variable and what it should be."""
    with pytest.raises(ConfigurationError, match="AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        Metadata(clock=ManualClock(), endpoint=endpoint)


@pytest.fixture
def worker() -> Callable[[int | None], int]:
    """Starts what a worker's numbers are served by; its port. None: it takes no jobs yet."""
    running = []

    def start(held: int | None) -> int:
        registry = CollectorRegistry()
        if held is not None:
            Gauge("iraas_worker_held", "as a worker has it", registry=registry).set(held)
        server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
        running.append((server, thread))
        return server.server_port

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_instance_is_busy_when_a_worker_holds_a_job(worker):
    """One of them is enough; who only starts, or is not there, holds none."""
    idle, starting, busy, absent = worker(0), worker(None), worker(3), free_port()
    assert [held_by(port) for port in (idle, starting, busy, absent)] == [0, 0, 3, 0]
    assert not is_busy([idle, starting, absent])
    assert is_busy([idle, busy])
    assert not is_busy([])


def test_an_instance_serves_when_all_its_workers_take_jobs(worker):
    """One that still loads its model, or is not there, is waited for."""
    idle, starting, busy = worker(0), worker(None), worker(3)

    assert serve([idle, busy])
    assert not serve([idle, starting])
    assert not serve([free_port()])


@pytest.mark.parametrize(
    "do",
    [reply(500), reset, hang_up, babble, reply(200, b"iraas_worker_held many\n")],
    ids=["500", "reset", "hung up", "babble", "no number"],
)
def test_a_worker_that_does_not_say_is_not_idle(do, worker):
    """Nothing is known of it, unless another is busy anyway."""
    busy = worker(1)
    with serving(do, do) as server:
        with pytest.raises(BackendUnavailable, match=f"worker on port {server.server_port}: "):
            is_busy([server.server_port])
        assert is_busy([server.server_port, busy])


def test_a_worker_that_is_silent_is_given_up(monkeypatch):
    """A look never hangs."""
    monkeypatch.setattr(ec2_workers, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(BackendUnavailable, match="timed out"):
        held_by(mute.getsockname()[1])


def test_many_silent_workers_take_no_longer_than_a_few(monkeypatch):
    """Two minutes are all that EC2 leaves, and 99 workers that wait for memory must not take them."""
    monkeypatch.setattr(ec2_workers, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(ec2_workers, "ALL_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as mute:
        begun = time.monotonic()
        with pytest.raises(BackendUnavailable, match="timed out"):
            is_busy([mute.getsockname()[1]] * 99)
        assert time.monotonic() - begun < 25.0  # all of them would take fifty
