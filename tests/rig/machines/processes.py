"""Nothing of its own but ports ── iraas from the checkout ──> instances, where the kernel allows no namespaces."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.rig.machines import supervised
from tests.rig.machines.host import SHUT_DOWN_SECONDS, Host
from tests.rig.machines.order import Order
from tests.rig.metadata import InstanceMetadata

WEB_PORT = 8080  # of a web instance, as the balancer knows it
MOST_WORKERS = 16  # of one instance here
PORTS = range(20_000, 32_000)  # below those that the kernel hands out
TRIES = 100


class ProcessMachines(Host):
    """Each instance has ports of its own on the machine's 127.0.0.1; `connect` knows which.

    That is less than promise 1 of `Machines`: an instance can reach what the machine can.
    """

    kind = "processes"

    def __init__(self, endpoints: Mapping[str, str], *, shut_down_seconds: float = SHUT_DOWN_SECONDS) -> None:
        super().__init__(endpoints, shut_down_seconds=shut_down_seconds)
        self._metadata: dict[str, int] = {}  # the port of each instance's
        self._web: dict[str, int] = {}
        self._metrics: dict[str, int] = {}

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """Start one; returns when its first process runs. Raises `CannotLaunch`."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._metadata[instance] = listening.getsockname()[1]
        self._web[instance], self._metrics[instance] = _free_port(), _free_base()
        server = await metadata.serve(listening)
        try:
            await super().launch(instance, user_data=user_data, metadata=metadata)
        except BaseException:
            server.close()
            raise
        self._doors[instance].callback(server.close)

    async def connect(self, instance: str, port: int) -> socket.socket:
        """A connection, non-blocking, to what is 127.0.0.1:`port` for it. Raises `OSError`."""
        base = self._metrics[instance] - supervised.METRICS_BASE
        return await self._connected(
            socket.socket(), self._web[instance] if port == WEB_PORT else base + port
        )

    def _listen(self) -> tuple[tuple[str, int], ...]:
        return ()  # the endpoints are where they are, and its metadata at a port of its own

    def _order(self, instance: str, folder: Path, user_data: str) -> Order:
        forced = {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{self._metadata[instance]}/",
            "IRAAS_HOST": "127.0.0.1",
            "IRAAS_PORT": str(self._web[instance]),
        }
        base = self._metrics[instance]
        endpoints = self.endpoints
        return Order(
            command=supervised.command(
                folder, user_data, endpoints=endpoints, forced=forced, metrics_base=base
            ),
            environment=supervised.ENVIRONMENT,
            folder=supervised.FOLDER,
            output=folder / "output",
            sweep=self._folder,
            namespaces=False,
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _free_base() -> int:
    """One less than the first of some ports in a row that nobody has now."""
    for _ in range(TRIES):
        base = random.randrange(PORTS.start, PORTS.stop - MOST_WORKERS)
        with ExitStack() as taken:
            try:
                for number in range(1, MOST_WORKERS + 1):
                    taken.enter_context(socket.create_server(("127.0.0.1", base + number)))
            except OSError:
                continue
            return base
    raise OSError("no free ports for the numbers of workers")
