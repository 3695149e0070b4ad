"""iraas.worker.quarantine with real children: what dies, hangs or grows is ended, and only twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from subprocess import PIPE, Popen

import psutil
import pytest

from iraas.errors import BackendUnavailable, ClassifierCrashed, UndecodableImage
from iraas.messages import Prediction
from iraas.telemetry import Telemetry
from iraas.worker import quarantine as module
from iraas.worker.quarantine import Quarantine

PRELUDE = """
import os, signal, struct, sys, time
def send(payload): sys.stdout.buffer.write(struct.pack(">I", len(payload)) + payload); sys.stdout.buffer.flush()
def receive():
    head = sys.stdin.buffer.read(4)
    return sys.stdin.buffer.read(struct.unpack(">I", head)[0]) if head else sys.exit(0)
"""
COMPUTED = (
    '{"predictions":[{"class_id":1,"wnid":"n1","label":"cat","score":0.5}],"decode_ms":1.0,"infer_ms":2.0}'
)


class Nursery:
    """Starts children that do as their script says, and remembers them."""

    def __init__(self, script: str) -> None:
        self._script = PRELUDE + textwrap.dedent(script)
        self.children: list[Popen[bytes]] = []

    def start(self) -> Popen[bytes]:
        child = Popen(
            [sys.executable, "-c", self._script], bufsize=0, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        self.children.append(child)
        return child


@pytest.fixture
async def quarantined():
    """Make a quarantine whose children run a script; all are ended afterwards."""
    made = []

    def make(script: str) -> tuple[Quarantine, Nursery]:
        nursery = Nursery(script)
        made.append(Quarantine(nursery.start, telemetry=Telemetry()))
        return made[-1], nursery

    yield make
    for quarantine in made:
        await quarantine.close()


async def test_one_child_computes_one_picture_after_the_other(quarantined):
    """A child that lives is kept, and its answers come back as they are."""
    quarantine, nursery = quarantined(f"""
        send(b"")
        while True:
            receive(); send(b"+" + b'{COMPUTED}')
    """)
    for _ in range(3):
        computed = await quarantine.compute(b"x" * 200_000)  # more than a pipe holds
        assert computed.predictions == (Prediction(1, "n1", "cat", 0.5),)
    assert len(nursery.children) == 1


async def test_a_pictures_own_error_is_no_death(quarantined):
    """What the child found wrong with the picture is raised as such, and the child lives on."""
    quarantine, nursery = quarantined("""
        send(b"")
        while True:
            receive(); send(b"-undecodable-image\\nit is cut short")
    """)
    for _ in range(2):
        with pytest.raises(UndecodableImage, match="cut short"):
            await quarantine.compute(b"picture")
    assert len(nursery.children) == 1


async def test_a_picture_that_ends_two_children_is_condemned(quarantined):
    """The first death is forgiven, the second is not; both are said."""
    quarantine, nursery = quarantined("""
        send(b""); receive(); os.kill(os.getpid(), signal.SIGSEGV)
    """)
    with pytest.raises(ClassifierCrashed, match=r"SIGSEGV.*SIGSEGV"):
        await quarantine.compute(b"picture")
    assert len(nursery.children) == 2


async def test_a_child_that_died_of_one_picture_is_replaced_for_the_same(quarantined, tmp_path):
    """A picture whose first child died by accident is answered by the second."""
    mark = tmp_path / "once"
    quarantine, nursery = quarantined(f"""
        send(b""); receive()
        if not os.path.exists({str(mark)!r}):
            open({str(mark)!r}, "w").close(); os._exit(7)
        send(b"+" + b'{COMPUTED}'); receive()
    """)
    assert (await quarantine.compute(b"picture")).predictions[0].label == "cat"
    assert len(nursery.children) == 2


async def test_a_child_that_hangs_is_ended(quarantined, monkeypatch):
    """A job has its seconds; then the child is killed, whatever it does."""
    monkeypatch.setattr(module, "JOB_SECONDS", 0.2)
    quarantine, nursery = quarantined("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        send(b""); receive()
        while True: time.sleep(60)
    """)
    with pytest.raises(ClassifierCrashed, match="took more than"):
        await quarantine.compute(b"picture")
    assert [child.returncode for child in nursery.children] == [-signal.SIGKILL] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
async def test_a_child_that_grows_is_ended(quarantined, monkeypatch):
    """A job has its memory; a child beyond it is killed before the machine suffers."""
    monkeypatch.setattr(module, "JOB_RESIDENT_BYTES", 120 << 20)
    quarantine, _nursery = quarantined("""
        send(b""); receive()
        hoard = bytearray(os.urandom(1) * (200 << 20))
        while True: time.sleep(60)
    """)
    with pytest.raises(ClassifierCrashed, match="MiB of memory"):
        await quarantine.compute(b"picture")


async def test_a_busy_loop_condemns_nobody(quarantined, monkeypatch):
    """A worker that computes while its child does is no reason to call the child late."""
    monkeypatch.setattr(module, "JOB_SECONDS", 2.0)
    quarantine, nursery = quarantined(f"""
        send(b"")
        while True:
            receive(); send(b"+" + b'{COMPUTED}')
    """)
    waiting = asyncio.create_task(quarantine.compute(b"x" * 10_000_000))
    for _ in range(3):
        await asyncio.sleep(0)
        time.sleep(0.8)  # noqa: ASYNC251 - the loop stands still, as in a batch
    assert (await waiting).predictions[0].label == "cat"
    assert len(nursery.children) == 1


async def test_a_death_while_draining_is_nobodys_fault(quarantined):
    """A machine that goes down kills children too: the job goes back uncharged."""
    quarantine, nursery = quarantined("""
        send(b""); receive(); os.kill(os.getpid(), signal.SIGKILL)
    """)
    quarantine.drain()
    with pytest.raises(BackendUnavailable):
        await quarantine.compute(b"picture")
    assert len(nursery.children) == 1


async def test_a_child_that_does_not_start_charges_nobody(quarantined):
    """Without a child nothing is known of the picture: the backend is away, and the job may be tried later."""
    quarantine, _nursery = quarantined("sys.exit(3)")
    with pytest.raises(BackendUnavailable, match="did not start"):
        await quarantine.compute(b"picture")


async def test_an_idle_child_is_ended(quarantined, monkeypatch):
    """After a time without work the child goes, and the next picture gets a new one."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    quarantine, nursery = quarantined(f"""
        send(b"")
        while True:
            receive(); send(b"+" + b'{COMPUTED}')
    """)
    await quarantine.compute(b"picture")
    await asyncio.to_thread(nursery.children[0].wait, 20)
    await quarantine.compute(b"picture")
    assert len(nursery.children) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_the_real_child_ends_with_its_worker(tmp_path):
    """Kill -9 of the worker ends its quarantine child, though that is deaf to SIGTERM and in its own session."""
    import subprocess

    script = textwrap.dedent("""
        import asyncio, os, sys
        from iraas.settings import Settings
        from iraas.wiring.overrides import NO_OVERRIDES
        from iraas.wiring.worker import quarantine_starter
        async def main():
            child = quarantine_starter(Settings(model="fast"), NO_OVERRIDES)()
            child.stdout.read(4)
            print(child.pid, flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
    """)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IRAAS_")}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as worker:
        assert worker.stdout is not None
        child = psutil.Process(int(worker.stdout.readline()))
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGINT)
        assert child.is_running()
        worker.kill()
        _gone, alive = psutil.wait_procs([child], timeout=20)
    assert not alive
