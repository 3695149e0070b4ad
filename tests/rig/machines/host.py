"""Orders, one an instance ── keepers, forwards, metadata ──> `Machines`. What all kinds of instances share."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.rig.machines.forward import Forward
from tests.rig.machines.kept import Kept
from tests.rig.machines.order import Order
from tests.rig.metadata import ADDRESS, InstanceMetadata

POWER_OFF = signal.SIGRTMIN + 4  # to PID 1: systemd(1), "Signals"
SHUT_DOWN_SECONDS = 60.0  # then its power is cut; EC2 waits for some minutes
METADATA = (ADDRESS, 80)


class Host:
    """Instances with a network of their own. A kind says what an instance is by `_order`."""

    kind = ""

    def __init__(self, endpoints: Mapping[str, str], *, shut_down_seconds: float = SHUT_DOWN_SECONDS) -> None:
        self.endpoints = dict(endpoints)
        self.shut_down_seconds = shut_down_seconds
        self._folder = Path(tempfile.mkdtemp(prefix="iraas-rig-"))
        self._kept: dict[str, Kept] = {}
        self._doors: dict[str, AsyncExitStack] = {}  # what the rig serves in an instance
        self._ends: dict[str, asyncio.Task[None]] = {}

    def _order(self, instance: str, folder: Path, user_data: str) -> Order:
        raise NotImplementedError

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """Start one; returns when its first process runs. Raises `CannotLaunch`."""
        metadata.user_data = user_data
        folder = self._folder / instance
        folder.mkdir()
        kept = Kept(self._order(instance, folder, user_data))
        doors = AsyncExitStack()
        self._kept[instance], self._doors[instance] = kept, doors
        self._ends[instance] = asyncio.create_task(self._close_doors(kept, doors))
        await self._open_doors(await kept.listening(), metadata, doors)
        await kept.started()

    async def shut_down(self, instance: str) -> None:
        """As EC2 ends one: it may stop in order, bounded; returns when it is gone."""
        self._kept[instance].signal(POWER_OFF)
        try:
            await asyncio.wait_for(self._kept[instance].gone.wait(), self.shut_down_seconds)
        except TimeoutError:
            self._kept[instance].signal(signal.SIGKILL)
        await asyncio.shield(self._ends[instance])

    async def kill(self, instance: str) -> None:
        """As when its hardware fails; returns when it is gone."""
        self._kept[instance].signal(signal.SIGKILL)
        await asyncio.shield(self._ends[instance])

    def alive(self, instance: str) -> bool:
        """Whether its first process runs."""
        return instance in self._kept and self._kept[instance].first != 0

    async def connect(self, instance: str, port: int) -> socket.socket:
        """A connection, non-blocking, to 127.0.0.1:`port` inside of it. Raises `OSError`."""
        connection = await self._kept[instance].new_socket()
        return await self._connected(connection, port)

    def log(self, instance: str) -> str:
        """What its processes said so far; for one that ended too, until `close`."""
        output = self._folder / instance / "output"
        return output.read_text(errors="replace") if output.exists() else ""

    def first_process(self, instance: str) -> int:
        """PID 1 of one that lives, as this machine numbers it: to measure what it takes."""
        return self._kept[instance].first

    async def close(self) -> None:
        """End all of them; nothing is left, logs neither."""
        for kept in self._kept.values():
            kept.signal(signal.SIGKILL)
        await asyncio.gather(*self._ends.values())
        shutil.rmtree(self._folder)

    def _listen(self) -> tuple[tuple[str, int], ...]:
        """Where an instance finds the rig: its metadata first, then each endpoint, which may share a port."""
        return (METADATA, *sorted({_place(url) for url in self.endpoints.values()}))

    async def _open_doors(
        self, listening: list[socket.socket], metadata: InstanceMetadata, doors: AsyncExitStack
    ) -> None:
        for place, each in zip(self._listen(), listening, strict=True):
            if place == METADATA:
                doors.callback((await metadata.serve(each)).close)
            else:
                forward = Forward(*place)
                await forward.open(each)
                doors.push_async_callback(forward.close)

    async def _connected(self, connection: socket.socket, port: int) -> socket.socket:
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return connection

    async def _close_doors(self, kept: Kept, doors: AsyncExitStack) -> None:
        await kept.gone.wait()
        await doors.aclose()


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1", f"{url}: an instance can reach 127.0.0.1 alone"
    assert parts.port is not None, f"{url} has no port"
    return parts.hostname, parts.port
