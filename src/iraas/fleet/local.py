"""The processes of one machine: one web process and a fleet of workers, under one supervisor.

supervisor ── web          holds the listening socket that the supervisor made
           ├─ worker ── quarantine child (on demand)
           └─ worker
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from iraas.errors import IraasError
from iraas.fleet.child import Child
from iraas.fleet.port import FleetState
from iraas.telemetry import Log

WEB_GRACE_SECONDS = 12.0  # its own drain takes 10
WORKER_GRACE_SECONDS = 10.0
LISTEN = "IRAAS_LISTEN_FD"
READ_EVERY_SECONDS = 0.5


class FleetFile:
    """The fleet's state in the data folder: the supervisor writes it, web processes read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = float("-inf")
        self._state = FleetState(0, 0)

    def write(self, state: FleetState) -> None:
        """Say how the fleet is, in one step for every reader."""
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(state._asdict()))
        fresh.replace(self._path)

    def state(self) -> FleetState:
        """The fleet as last heard of, at most half a second old."""
        now = time.monotonic()
        if now - self._read_at > READ_EVERY_SECONDS:
            self._read_at = now
            try:
                self._state = FleetState(**msgspec.json.decode(self._path.read_bytes()))
            except (OSError, msgspec.DecodeError, TypeError):
                self._state = FleetState(0, 0)
        return self._state

    def saw(self, worker: str) -> None:
        """Nothing: the supervisor knows better than replies do."""


class LocalFleet:
    """Starts, watches and ends the processes. A worker's leases end when it dies, not half a minute later."""

    def __init__(
        self,
        *,
        command: Sequence[str],
        environment: Mapping[str, str],
        listen_fd: int,
        workers: int,
        file: FleetFile,
        end_leases: Callable[[str], Awaitable[None]],
        on_serving: Callable[[], None],
    ) -> None:
        self._file = file
        self._end_leases = end_leases
        self._on_serving = on_serving
        self._serving = False
        self._web = Child(
            "web",
            [*command, "web"],
            environment={**environment, LISTEN: str(listen_fd)},
            pass_fds=(listen_fd,),
            on_change=self._changed,
            on_death=self._forget,
        )
        self._workers = [
            Child(
                f"worker-{number}",
                [*command, "worker"],
                environment=environment,
                on_change=self._changed,
                on_death=self._release,
            )
            for number in range(1, workers + 1)
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Keep everything running until `stop`, then end it in order: the web tier first, while workers answer.

        Raises `ConfigurationError` when a process says that it cannot ever start.
        """
        keepers = [asyncio.create_task(child.keep()) for child in (self._web, *self._workers)]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopped, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            Log()("supervisor.stopping")
            await self._web.stop(grace=WEB_GRACE_SECONDS)
            await asyncio.gather(*(worker.stop(grace=WORKER_GRACE_SECONDS) for worker in self._workers))
            outcomes = await asyncio.gather(*keepers, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _changed(self) -> None:
        states = [worker.state for worker in self._workers]
        try:
            self._file.write(FleetState(states.count("in service"), states.count("starting")))
        except OSError as error:  # a full disk must not end the fleet; readers keep what they know
            Log()("background.failed", level="error", task="fleet state", error=str(error))
        if not self._serving and self._web.state == "in service" and "in service" in states:
            self._serving = True
            self._on_serving()

    async def _release(self, pid: int) -> None:
        try:
            await self._end_leases(str(pid))
        except (IraasError, OSError) as error:  # they run out by themselves
            Log()("background.failed", level="warning", task="end leases", error=str(error))

    async def _forget(self, _pid: int) -> None:
        return None


def this_command() -> list[str]:
    """How to start this program again, for its children."""
    return [sys.executable, "-m", "iraas"]


def clean_environment() -> dict[str, str]:
    """This process's environment, with numeric libraries kept to the one thread that a worker has."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
