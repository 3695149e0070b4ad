"""iraas.fleet.child, .lifeline: real processes of some milliseconds, started, heard, ended and started again."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from iraas.errors import ConfigurationError
from iraas.fleet import child as child_module
from iraas.fleet import lifeline
from iraas.fleet.child import Child
from iraas.fleet.lifeline import READY, Line

BEGIN = f"import os, sys, signal, time\nline = int(os.environ['{READY}'])\n"
READY_NOW = BEGIN + "os.write(line, b'\\n')\n"
STAY = READY_NOW + "signal.pause()"
DEAF = (
    BEGIN
    + "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write(line, b'\\n')\nwhile True: signal.pause()"
)


class Notes:
    """An overseer that writes down what it is told."""

    def __init__(self) -> None:
        self.boots: list[float] = []
        self.lines: list[str] = []
        self.failures: list[tuple[str, bool]] = []
        self.dead: list[int] = []
        self.news = asyncio.Event()

    def changed(self):
        self.news.set()

    def booted(self, seconds):
        self.boots.append(seconds)

    def said(self, line):
        self.lines.append(line)
        self.news.set()

    def failed(self, name, why, *, misconfigured):
        self.failures.append((why, misconfigured))
        if misconfigured:
            raise ConfigurationError(f"{name} {why}")

    async def died(self, pid):
        self.dead.append(pid)
        self.news.set()

    async def until(self, condition):
        """Return once it is so; it can only become so by news."""
        async with asyncio.timeout(20):
            while not condition():
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def start(monkeypatch):
    """Keep a child that runs this Python code; ended after the test."""
    monkeypatch.setattr(child_module, "BACKOFF_SECONDS", (0.0,))
    kept: list[tuple[Child, asyncio.Task[None]]] = []

    def starting(code: str) -> tuple[Child, Notes, asyncio.Task[None]]:
        notes = Notes()
        made = Child(
            "child", [sys.executable, "-S", "-c", code], environment=dict(os.environ), overseer=notes
        )
        kept.append((made, asyncio.create_task(made.keep())))
        return made, notes, kept[-1][1]

    yield starting
    for made, task in kept:
        await made.stop(grace=5)
        await asyncio.gather(task, return_exceptions=True)


async def test_it_is_in_service_once_it_says_so(start):
    """Before that it starts; how long that took is measured."""
    child, notes, _ = start(STAY)
    assert child.state == "starting"
    await notes.until(lambda: child.state == "in service")
    assert 0 < notes.boots[0] < 20
    assert child.pid is not None


async def test_what_it_says_later_is_heard_line_by_line(start):
    """Lines that come in pieces, or several at once, are lines; the last words of a dying child, too."""
    code = READY_NOW + "os.write(line, b'1 0.5\\n2 '); time.sleep(0.02); os.write(line, b'0.7\\n3 0.9\\n')"
    _child, notes, _ = start(code)
    await notes.until(lambda: len(notes.dead) >= 1)
    assert notes.lines[:3] == ["1 0.5", "2 0.7", "3 0.9"]


async def test_one_that_dies_after_it_was_ready_is_replaced_at_once(start):
    """Its death is told with its process id, and its successor is another process."""
    child, notes, _ = start(STAY)
    await notes.until(lambda: child.state == "in service")
    first = child.pid
    os.kill(first, 9)
    await notes.until(lambda: child.state == "in service" and child.pid != first)
    assert notes.dead == [first]
    assert notes.failures == []
    assert child.failures == 0


async def test_one_that_never_gets_ready_is_tried_again_and_told(start):
    """Each failed start is counted and said, with its exit code."""
    child, notes, _ = start("raise SystemExit(7)")
    await notes.until(lambda: len(notes.failures) >= 3)
    assert notes.failures[0] == ("it ended with code 7", False)
    assert child.failures >= 3
    assert child.state == "starting"


async def test_exit_code_2_is_told_as_misconfigured(start):
    """Who keeps it learns of the refusal as its overseer raises it."""
    _child, notes, keeper = start("raise SystemExit(2)")
    with pytest.raises(ConfigurationError, match="code 2"):
        await asyncio.wait_for(keeper, 20)
    assert notes.failures == [("it ended with code 2", True)]


async def test_one_that_cannot_even_be_made_is_tried_again(start, monkeypatch):
    """No memory for a process is trouble, and no end."""
    made, tries = asyncio.create_subprocess_exec, 0

    async def scarce(*command, **options):
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("no memory")
        return await made(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", scarce)
    child, notes, _ = start(STAY)
    await notes.until(lambda: child.state == "in service")
    assert notes.failures == [("no memory", False)]


async def test_a_start_that_never_ends_is_a_failed_one(start, monkeypatch):
    """A worker that hangs before it is ready is killed, told, and tried again."""
    monkeypatch.setattr(child_module, "START_SECONDS", 0.05)
    child, notes, _keeping = start("import signal; signal.pause()")
    await notes.until(lambda: len(notes.failures) >= 2)
    assert notes.failures[0] == ("it ended with code -9", False)
    assert not notes.boots
    assert child.failures >= 2


async def test_stopping_drains_and_starts_nothing_again(start):
    """After SIGTERM it is draining, then stopped, and its death is told."""
    child, notes, keeper = start(STAY)
    await notes.until(lambda: child.state == "in service")
    pid = child.pid
    ending = asyncio.create_task(child.stop(grace=20))
    await notes.until(lambda: child.state == "draining")
    await ending
    await keeper
    assert (child.state, child.pid, notes.dead) == ("stopped", None, [pid])


async def test_one_that_does_not_drain_is_killed(start):
    """After the grace it is gone all the same."""
    child, notes, keeper = start(DEAF)
    await notes.until(lambda: child.state == "in service")
    await child.stop(grace=0.05)
    await keeper
    assert child.state == "stopped"


async def test_one_that_is_let_go_may_finish(start):
    """Gently, it is asked by another signal first, and ends by itself; a hurried stop meanwhile cuts that short."""
    patient = (
        READY_NOW + "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\nos.write(line, b'0 0\\n')\n"
    )
    child, notes, keeper = start(patient + "signal.sigwait([signal.SIGUSR1])")
    await notes.until(lambda: bool(notes.lines))
    await child.stop(grace=0.0, gently=20)
    await keeper
    assert child.state == "stopped"

    other, notes, keeper = start(patient + "signal.pause()")
    await notes.until(lambda: bool(notes.lines))
    ending = asyncio.create_task(other.stop(grace=20, gently=3_600))
    await notes.until(lambda: other.state == "draining")
    await other.stop(grace=20)
    await asyncio.wait_for(ending, 20)
    await keeper


async def test_stopping_ends_a_back_off(start, monkeypatch):
    """Nobody waits for the next try of what is to go."""
    monkeypatch.setattr(child_module, "BACKOFF_SECONDS", (3_600.0,))
    child, notes, keeper = start("raise SystemExit(7)")
    await notes.until(lambda: bool(notes.failures))
    await child.stop(grace=5)
    await asyncio.wait_for(keeper, 20)
    assert child.state == "stopped"


@pytest.fixture
def pipe():
    """A pipe as a supervisor makes it: both ends."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)


async def test_a_worker_says_ready_and_then_sums(pipe, monkeypatch):
    """The first report goes at once; those that follow closely go as one line, at the latest when it closes."""
    monkeypatch.setattr(lifeline, "REPORT_SECONDS", 3_600.0)
    reading, writing = pipe
    line = Line(writing)
    line.say_ready()
    line.ended(1, 0.25)
    line.ended(2, 0.5)
    line.ended(3, 0.25)
    line.close()
    assert os.read(reading, 4096) == b"\n1 0.250000\n5 0.750000\n"


async def test_a_supervisor_that_does_not_read_stops_no_worker(pipe):
    """A full pipe drops no numbers: they wait for a line that goes through."""
    reading, writing = pipe
    line = Line(writing)
    full = 0
    try:
        while True:
            full += os.write(writing, bytes(4096))
    except BlockingIOError:
        pass
    line.ended(4, 1.0)
    while full:
        full -= len(os.read(reading, 65_536))
    line.ended(1, 1.0)
    line.close()
    assert os.read(reading, 4096) == b"5 2.000000\n"


async def test_a_worker_whose_supervisor_is_gone_says_nothing():
    """A broken pipe is no error of the worker's."""
    reading, writing = os.pipe()
    os.close(reading)
    line = Line(writing)
    line.say_ready()
    line.ended(1, 1.0)
    line.close()


async def test_without_a_supervisor_there_is_no_line(monkeypatch):
    """A lone worker reports to nobody; and only one object of a process inherits the pipe."""
    monkeypatch.delenv(READY, raising=False)
    line = Line.inherited()
    line.say_ready()
    line.ended(1, 1.0)
    line.close()
    monkeypatch.setenv(READY, "1000000")
    monkeypatch.setattr(os, "set_blocking", lambda descriptor, blocking: None)
    assert Line.inherited()._descriptor == 1_000_000
    assert Line.inherited()._descriptor is None
