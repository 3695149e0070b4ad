"""The processes of one machine: one web process and a crew of workers, under one supervisor.

supervisor ── web          holds the listening socket that the supervisor made
           ├─ worker ── quarantine child (on demand)
           └─ worker       as many as there shall be
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from iraas.errors import ConfigurationError
from iraas.fleet.child import Child
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.crew import Crew
from iraas.fleet.port import FleetState
from iraas.fleet.tally import Tally
from iraas.telemetry import SLOT, Log

WEB_GRACE_SECONDS = 12.0  # its own drain takes 10
LISTEN = "IRAAS_LISTEN_FD"


class LocalFleet:
    """Starts, watches and ends the processes."""

    def __init__(
        self,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        listen_fd: int,
        minimum: int,
        starts_at_once: int,
        owners: Callable[[], Awaitable[Collection[str]]],
        end_leases: Callable[[str], Awaitable[object]],
        chronicle: Chronicle,
        tally: Tally,
        on_serving: Callable[[], None],
    ) -> None:
        self._minimum = minimum
        self._on_serving = on_serving
        self._serving = False  # the web process, and a worker unless there need be none
        self._over = asyncio.Event()
        self._web = Child(
            "web",
            [*command, "web"],
            environment={**environment, LISTEN: str(listen_fd)},
            pass_fds=(listen_fd,),
            overseer=_Web(self._changed),
        )
        self._crew = Crew(
            make=lambda name, overseer: Child(
                name, [*command, "worker"], environment={**environment, SLOT: name}, overseer=overseer
            ),
            owners=owners,
            end_leases=end_leases,
            chronicle=chronicle,
            tally=tally,
            on_change=self._changed,
            may_give_up=lambda: not self._serving,
            starts_at_once=starts_at_once,
        )

    async def count_busy(self) -> int:
        """Workers that hold jobs now. Raises `BackendUnavailable`."""
        return await self._crew.count_busy()

    def state(self) -> FleetState:
        """How many workers there are."""
        return self._crew.state()

    async def set(self, capacity: int) -> None:
        """Have so many workers."""
        await self._crew.set(capacity)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep everything running until `stop`, then end it in order: the web tier first, while workers answer.

        Raises `ConfigurationError` when a process says that it cannot ever start.
        """
        web = asyncio.create_task(self._web.keep())
        await self._crew.set(self._minimum)
        waits = {web, *(asyncio.create_task(event.wait()) for event in (stop, self._over))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits - {web}:
                task.cancel()
            Log()("supervisor.stopping")
            await self._web.stop(grace=WEB_GRACE_SECONDS)
            await self._crew.close()
            [outcome] = await asyncio.gather(web, return_exceptions=True)
        for error in (outcome, self._crew.error):
            if error is not None:
                raise error

    def _changed(self) -> None:
        if self._crew.error is not None:
            self._over.set()
        ready = self._minimum == 0 or self._crew.state().in_service > 0
        if not self._serving and self._web.state == "in service" and ready:
            self._serving = True
            self._on_serving()


class _Web:
    """What the supervisor does when something becomes of the web process."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.changed = on_change

    def booted(self, _seconds: float) -> None:
        """Nobody asks how long it took."""

    def said(self, _line: str) -> None:
        """It reports nothing."""

    def failed(self, name: str, _why: str, *, misconfigured: bool) -> None:
        """Without a web process there is no service."""
        if misconfigured:
            raise ConfigurationError(f"the {name} process could not start; what it said stands above")

    async def died(self, _pid: int) -> None:
        """It holds no leases."""


def this_command() -> list[str]:
    """How to start this program again, for its children."""
    return [sys.executable, "-m", "iraas"]


def clean_environment() -> dict[str, str]:
    """This process's environment, with numeric libraries kept to the one thread that a worker has."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
