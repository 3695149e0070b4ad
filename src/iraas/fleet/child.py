"""One process that is started again when it dies.

starting --ready--> in service --dies--> starting          at once
starting --dies--> (back-off) --> starting                 it would die again at once
any --stop--> stopped
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from iraas.errors import ConfigurationError
from iraas.fleet.lifeline import PARENT, READY
from iraas.telemetry import Log

BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)  # after deaths before ready; the last one repeats
MISCONFIGURED = 2  # the exit code of a process that will never start as it is set up

State = Literal["starting", "in service", "stopped"]


class Child:
    """A process under supervision."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        on_change: Callable[[], None],
        on_death: Callable[[int], Awaitable[None]],
    ) -> None:
        self.name = name
        self.state: State = "starting"
        self._command = command
        self._environment = environment
        self._pass_fds = pass_fds
        self._on_change = on_change
        self._on_death = on_death
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._log = Log(child=name)

    async def keep(self) -> None:
        """Run it until `stop`. Raises `ConfigurationError` when it says that it cannot ever start."""
        early_deaths = 0
        while not self._stopping.is_set():
            was_ready = await self._live_and_die()
            if self._stopping.is_set():
                break
            early_deaths = 0 if was_ready else early_deaths + 1
            if early_deaths:
                await self._pause(BACKOFF_SECONDS[min(early_deaths, len(BACKOFF_SECONDS)) - 1])
        self._become("stopped")

    async def stop(self, *, grace: float) -> None:
        """End it: SIGTERM, and SIGKILL after `grace` seconds."""
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        _send(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            _send(process, signal.SIGKILL)
            await process.wait()

    async def _live_and_die(self) -> bool:
        """One process, from its start to its death; whether it was ready in between."""
        try:
            was_ready, process = await self._run_once()
        except OSError as error:  # no memory, processes or files for another one: later, perhaps
            self._log("child.died", level="error", error=str(error), ready=False)
            return False
        if self._stopping.is_set():
            return was_ready
        await self._on_death(process.pid)
        self._log("child.died", level="warning", pid=process.pid, code=process.returncode, ready=was_ready)
        if process.returncode == MISCONFIGURED and not was_ready:
            raise ConfigurationError(f"the {self.name} process could not start; what it said stands above")
        return was_ready

    async def _run_once(self) -> tuple[bool, Process]:
        self._become("starting")
        reading, writing = os.pipe()
        environment = {**self._environment, PARENT: str(os.getpid()), READY: str(writing)}
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                env=environment,
                pass_fds=(*self._pass_fds, writing),
                process_group=0,  # a Ctrl-C is the supervisor's to pass on, in order
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._log("child.started", pid=process.pid)
        if self._stopping.is_set():  # stop came while the process was being made
            _send(process, signal.SIGTERM)
        loop = asyncio.get_running_loop()
        loop.add_reader(reading, self._hear, reading)
        try:
            await process.wait()
        finally:
            loop.remove_reader(reading)
            os.close(reading)
        return self.state == "in service", process

    def _hear(self, reading: int) -> None:
        asyncio.get_running_loop().remove_reader(reading)
        if os.read(reading, 1):  # else it closed the pipe by dying
            self._become("in service")

    def _become(self, state: State) -> None:
        self.state = state
        self._on_change()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _send(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # gone already
        process.send_signal(number)
