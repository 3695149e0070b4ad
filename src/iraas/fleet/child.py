"""One process that is started again when it dies.

starting --ready--> in service --dies--> starting          at once
starting --dies--> (back-off) --> starting                 it would die again at once
any --stop--> draining --> stopped
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, Protocol

from iraas.fleet.lifeline import PARENT, READY, RETIRE
from iraas.telemetry import Log

START_SECONDS = 120.0  # for a process until it is ready: a large model on a busy machine, and no more
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)  # after deaths before ready; the last one repeats
MISCONFIGURED = 2  # the exit code of a process that will never start as it is set up
READ_BYTES = 4_096  # of its lines at once

State = Literal["starting", "in service", "draining", "stopped"]


class Overseer(Protocol):
    """Who is told what becomes of a child."""

    def changed(self) -> None:
        """Its state is another one."""
        ...

    def booted(self, seconds: float) -> None:
        """It was ready so long after its start."""
        ...

    def said(self, line: str) -> None:
        """It said this after it was ready."""
        ...

    def failed(self, name: str, why: str, *, misconfigured: bool) -> None:
        """It ended before it was ready. May raise `ConfigurationError`, which ends its keeping."""
        ...

    async def died(self, pid: int) -> None:
        """This process of it is dead, for whatever reason."""
        ...


class Child:
    """A process under supervision."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        overseer: Overseer,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.state: State = "starting"
        self.failures = 0  # starts in a row that came to nothing
        self._command = command
        self._environment = environment
        self._pass_fds = pass_fds
        self._overseer = overseer
        self._process: Process | None = None
        self._started_at = 0.0  # monotonic seconds
        self._unread = b""
        self._stopping = asyncio.Event()
        self._log = Log(child=name)

    @property
    def pid(self) -> int | None:
        """Of the process that lives now."""
        alive = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and alive else None

    async def keep(self) -> None:
        """Run it until `stop`. Raises what `Overseer.failed` raises."""
        try:
            while not self._stopping.is_set():
                await self._live_and_die()
                if self.failures:
                    await self._pause(BACKOFF_SECONDS[min(self.failures, len(BACKOFF_SECONDS)) - 1])
        finally:
            self._become("stopped")

    async def stop(self, *, grace: float, gently: float = 0.0) -> None:
        """End it: SIGTERM, and SIGKILL after `grace` seconds. May be called again, in a greater hurry.

        With `gently` it is first given so many seconds to finish what it has, and to end by itself.
        """
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        if self.state != "draining":
            self._become("draining")
        for number, seconds in ((RETIRE, gently), (signal.SIGTERM, grace)):
            if seconds > 0:
                _send(process, number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), seconds)
                    return
        _send(process, signal.SIGKILL)
        await process.wait()

    async def _live_and_die(self) -> None:
        """One process, from its start to its death."""
        try:
            process = await self._run_once()
        except OSError as error:  # no memory, processes or files for another one: later, perhaps
            self._log("child.died", level="error", error=str(error), ready=False)
            self._fail(str(error))
            return
        was_ready = self.state == "in service"
        await self._overseer.died(process.pid)
        if self._stopping.is_set():
            return
        code = process.returncode
        self._log("child.died", level="warning", pid=process.pid, code=code, ready=was_ready)
        if was_ready:
            self.failures = 0
        else:
            self._fail(f"it ended with code {code}", misconfigured=code == MISCONFIGURED)

    def _fail(self, why: str, *, misconfigured: bool = False) -> None:
        self.failures += 1
        self._overseer.failed(self.name, why, misconfigured=misconfigured)

    async def _run_once(self) -> Process:
        self._become("starting")
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        environment = {**self._environment, PARENT: str(os.getpid()), READY: str(writing)}
        self._started_at, self._unread = time.monotonic(), b""
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
        deadline = loop.call_later(START_SECONDS, self._give_up, process)
        try:
            await process.wait()
            self._hear(reading)  # its last words
        finally:
            deadline.cancel()
            loop.remove_reader(reading)
            os.close(reading)
        return process

    def _give_up(self, process: Process) -> None:
        """A start that never ends is a failed one."""
        if self.state == "starting":
            self._log(
                "child.died", level="error", pid=process.pid, error="it was not ready in time", ready=False
            )
            _send(process, signal.SIGKILL)

    def _hear(self, reading: int) -> None:
        try:
            heard = os.read(reading, READ_BYTES)
        except BlockingIOError:
            return
        if not heard:  # it closed the pipe, perhaps by dying
            asyncio.get_running_loop().remove_reader(reading)
            return
        *lines, self._unread = (self._unread + heard).split(b"\n")
        for line in lines:
            if self.state == "starting":
                self.failures = 0
                self._overseer.booted(time.monotonic() - self._started_at)
                self._become("in service")
            elif line:
                self._overseer.said(line.decode("ascii", "replace"))

    def _become(self, state: State) -> None:
        self.state = state
        self._overseer.changed()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _send(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # gone already
        process.send_signal(number)
