"""bytes -> Computed, in a child process that may die of them.

A job that was delivered before may have killed its worker. It is computed here: 10 seconds and 1 GiB
resident for a job; a child that dies or overruns is replaced once, and then the job is condemned. The
child is started on demand, kept while it is used, and ended after a minute without work.

Frames in both directions: four bytes of length (big-endian), then the payload. The child first sends an
empty frame when it is ready. A payload from it is `+` and a `Computed`, or `-` and SLUG, a newline, detail.
A thread talks to the child, so that the worker's loop, which stands still while it computes, neither slows
the exchange nor makes a child look stuck.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

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

_CHUNK = 1 << 16
_COMPUTED = msgspec.json.Decoder(Computed)


class Death(Exception):
    """The child died or overran; says how."""


class Quarantine:
    """One child, for one job at a time."""

    def __init__(self, start: Callable[[], Popen[bytes]], *, telemetry: Telemetry) -> None:
        self._start = start
        self._telemetry = telemetry
        self._child: Popen[bytes] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._draining = False

    async def compute(self, data: bytes) -> Computed:
        """Compute one picture.

        Raises the picture's own error when the child found one, `ClassifierCrashed` when the picture
        ended two children, and `BackendUnavailable` when no child could be started or the worker drains:
        that charges nobody.
        """
        if self._idle is not None:
            self._idle.cancel()
        answer = await asyncio.to_thread(self._ask_twice, data)
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
        return _verdict(answer)

    def drain(self) -> None:
        """From now on a child's death is nobody's fault: the machine may be going down."""
        self._draining = True

    async def close(self) -> None:
        """End the child, whatever it does."""
        self.drain()
        if self._idle is not None:
            self._idle.cancel()
        await asyncio.to_thread(self._end)

    def _ask_twice(self, data: bytes) -> bytes:
        deaths: list[str] = []
        while True:
            child = self._ready_child()
            try:
                return _exchange(child, data, seconds=JOB_SECONDS)
            except Death as death:
                self._end()
                if self._draining:
                    raise BackendUnavailable("the quarantine child ended while its worker drained") from None
                deaths.append(str(death))
                self._telemetry.count("iraas_quarantine_deaths_total")
                Log()("quarantine.death", level="warning", reason=str(death))
                if len(deaths) > DEATHS_ALLOWED:
                    raise ClassifierCrashed("; then ".join(deaths)) from None

    def _ready_child(self) -> Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._end()
        try:
            self._child = self._start()
            _exchange(self._child, None, seconds=START_SECONDS)
        except (OSError, Death) as error:
            self._end()
            raise BackendUnavailable(f"the quarantine child did not start: {error}") from error
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _exchange(child: Popen[bytes], data: bytes | None, *, seconds: float) -> bytes:
    """Send a frame, if there is one, and read a frame. Raises `Death`."""
    assert child.stdin is not None
    assert child.stdout is not None
    writing, reading = child.stdin.fileno(), child.stdout.fileno()
    os.set_blocking(writing, False)
    outgoing = memoryview(b"" if data is None else LENGTH.pack(len(data)) + data)
    incoming = bytearray()
    deadline = time.monotonic() + seconds
    while not _is_whole(incoming):
        ready, writable, _ = select.select([reading], [writing] if outgoing else [], [], LOOK_SECONDS)
        if writable:
            try:
                outgoing = outgoing[os.write(writing, outgoing[:_CHUNK]) :]
            except BrokenPipeError:
                outgoing = memoryview(b"")  # it died; reading says how
        if ready:
            chunk = os.read(reading, _CHUNK)
            if not chunk:
                raise Death(_how_it_ended(child.wait()))
            incoming += chunk
            continue  # what is there is read, before anything is called late
        if _resident_bytes(child.pid) > JOB_RESIDENT_BYTES:
            raise Death(f"it took more than {JOB_RESIDENT_BYTES >> 20} MiB of memory")
        if time.monotonic() > deadline:
            raise Death(f"it took more than {seconds:g} s")
    return bytes(incoming[LENGTH.size :])


def _is_whole(frame: bytearray) -> bool:
    return len(frame) >= LENGTH.size and len(frame) >= LENGTH.size + LENGTH.unpack_from(frame)[0]


def _how_it_ended(code: int) -> str:
    return f"it ended by {signal.Signals(-code).name}" if code < 0 else f"it ended by exit code {code}"


def _verdict(answer: bytes) -> Computed:
    if answer[:1] == b"+":
        return _COMPUTED.decode(answer[1:])
    slug, _, detail = answer[1:].decode().partition("\n")
    raise error_for(slug, detail)


def _resident_bytes(pid: int) -> int:
    """Resident set size (Linux: second field of statm, in pages); 0 where it cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
