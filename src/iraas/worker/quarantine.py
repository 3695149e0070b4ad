"""bytes -> Computed, in a child process that may die of them.

A job that was delivered before may have killed its worker. It is computed here: 10 seconds and 1 GiB
resident for a job; a child that dies or overruns is replaced once, and then the job is condemned. The
child is started on demand, kept while it is used, and ended after a minute without work.

Frames in both directions: four bytes of length (big-endian), then the payload. The child first sends an
empty frame when it is ready. A payload from it is `+` and a `Computed`, or `-` and SLUG, a newline, detail.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from iraas.errors import BackendUnavailable, ClassifierCrashed, error_for
from iraas.telemetry import Log, Telemetry
from iraas.worker.child import LENGTH
from iraas.worker.infer import Computed

JOB_SECONDS = 10.0
JOB_RESIDENT_BYTES = 1 << 30
START_SECONDS = 30.0  # a model is loaded meanwhile; not charged to any job
IDLE_SECONDS = 60.0
LOOK_SECONDS = 0.05  # between two looks at the child's memory
DEATHS_ALLOWED = 1

_COMPUTED = msgspec.json.Decoder(Computed)


class Death(Exception):
    """The child died or overran; says how."""


class Quarantine:
    """One child, for one job at a time."""

    def __init__(self, start: Callable[[], Awaitable[Process]], *, telemetry: Telemetry) -> None:
        self._start = start
        self._telemetry = telemetry
        self._child: Process | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def compute(self, data: bytes) -> Computed:
        """Compute one picture.

        Raises the picture's own error when the child found one, `ClassifierCrashed` when the picture
        ended two children, and `BackendUnavailable` when no child could be started: that charges nobody.
        """
        if self._idle is not None:
            self._idle.cancel()
        deaths: list[str] = []
        while True:
            child = await self._ready_child()
            try:
                answer = await self._ask(child, data)
            except Death as death:
                await self.close()
                deaths.append(str(death))
                self._telemetry.count("iraas_quarantine_deaths_total")
                Log()("quarantine.death", level="warning", reason=str(death))
                if len(deaths) > DEATHS_ALLOWED:
                    raise ClassifierCrashed("; then ".join(deaths)) from None
                continue
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
            return _verdict(answer)

    async def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is not None:
            _kill(child)
            await child.wait()

    def _end(self) -> None:
        if self._child is not None:
            _kill(self._child)

    async def _ready_child(self) -> Process:
        if self._child is not None and self._child.returncode is None:
            return self._child
        self._child = await self._start()
        try:
            async with asyncio.timeout(START_SECONDS):
                await _read_frame(self._child)
        except (TimeoutError, Death) as error:
            await self.close()
            raise BackendUnavailable("the quarantine child did not start") from error
        return self._child

    async def _ask(self, child: Process, data: bytes) -> bytes:
        exchange = asyncio.ensure_future(_exchange(child, data))
        try:
            async with asyncio.timeout(JOB_SECONDS):
                while not exchange.done():
                    await asyncio.wait({exchange}, timeout=LOOK_SECONDS)
                    if _resident_bytes(child.pid) > JOB_RESIDENT_BYTES:
                        raise Death(f"it took more than {JOB_RESIDENT_BYTES >> 20} MiB of memory")
            return exchange.result()
        except TimeoutError:
            raise Death(f"it took more than {JOB_SECONDS:.0f} s") from None
        finally:
            exchange.cancel()


async def _exchange(child: Process, data: bytes) -> bytes:
    assert child.stdin is not None
    with suppress(ConnectionError):  # it died; reading says how
        child.stdin.write(LENGTH.pack(len(data)) + data)
        await child.stdin.drain()
    return await _read_frame(child)


async def _read_frame(child: Process) -> bytes:
    assert child.stdout is not None
    try:
        [length] = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
        return await child.stdout.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        code = await child.wait()
        raise Death(
            f"it ended by {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"
        ) from None


def _verdict(answer: bytes) -> Computed:
    if answer[:1] == b"+":
        return _COMPUTED.decode(answer[1:])
    slug, _, detail = answer[1:].decode().partition("\n")
    raise error_for(slug, detail)


def _kill(child: Process) -> None:
    with suppress(ProcessLookupError):  # gone already
        child.kill()


def _resident_bytes(pid: int) -> int:
    """Resident set size (Linux: second field of statm, in pages); 0 where it cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
