"""A doorbell wakes who waits, loses nothing that came before, and goes when its owner does."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from iraas.errors import ConfigurationError
from iraas.queues.doorbell import Bells

FOR_EVER = 3600.0  # seconds
PATIENCE = 20.0  # real seconds; only a broken bell needs them


@pytest.fixture
def bells(runtime):
    """The doorbells of a short folder."""
    with closing(Bells(runtime)) as bells:
        yield bells


async def test_a_ring_ends_the_wait(bells):
    """Who waits is woken by a ring for his queue."""
    bell = bells.hang("requests")
    waiting = asyncio.create_task(bell.wait(FOR_EVER, since=bell.heard))
    await asyncio.sleep(0)  # it waits
    bells.ring("requests")
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert bell.heard == 1


async def test_a_ring_for_another_queue_does_not(bells):
    """A bell hears only the rings of its own queue, though another's name begins like it."""
    bell = bells.hang("requests")
    bells.ring("requests-dead")
    bells.ring("request")
    await bell.wait(0.0, since=bell.heard)
    assert bell.heard == 0


async def test_a_ring_before_the_wait_is_not_lost(bells):
    """A ring between the look into the queue and the wait ends the wait at once."""
    bell = bells.hang("requests")
    since = bell.heard
    bells.ring("requests")
    async with asyncio.timeout(PATIENCE):
        await bell.wait(FOR_EVER, since=since)


async def test_a_ring_that_another_task_heard_is_not_lost(bells):
    """Of two tasks at one bell, the one that was still looking when it rang does not wait."""
    bell = bells.hang("requests")
    since = bell.heard  # one task begins to look
    waiting = asyncio.create_task(bell.wait(FOR_EVER, since=since))
    await asyncio.sleep(0)
    bells.ring("requests")
    async with asyncio.timeout(PATIENCE):
        await waiting  # the other has heard the ring, and drained the bell
        await bell.wait(FOR_EVER, since=since)


async def test_a_flood_of_rings_is_heard_and_drained(bells):
    """More rings than a bell can hold wake it, raise nothing, and leave it silent."""
    bell = bells.hang("requests")
    for _ in range(1_000):
        bells.ring("requests")
    async with asyncio.timeout(PATIENCE):
        await bell.wait(FOR_EVER, since=0)
    heard = bell.heard
    await bell.wait(0.0, since=heard)
    assert bell.heard == heard


async def test_the_wait_ends_without_a_ring(bells):
    """A bell that nobody rings gives up after the seconds it was told, and watches the socket no longer."""
    bell = bells.hang("requests")
    await bell.wait(0.0, since=0)
    assert bell.heard == 0
    bells.ring("requests")
    await asyncio.sleep(0)
    assert bell.heard == 0


async def test_a_cancelled_wait_leaves_the_others_waiting(bells):
    """One of two tasks at a bell may be cancelled; the other is still woken."""
    bell = bells.hang("requests")
    first, second = (asyncio.create_task(bell.wait(FOR_EVER, since=0)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    bells.ring("requests")
    async with asyncio.timeout(PATIENCE):
        await second


def test_dead_bells_are_taken_down(bells, runtime):
    """What a killed process left is removed by the next ring for it, and by whoever hangs a bell."""
    for name in ("requests@dead", "responses@dead"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left_behind:
            left_behind.bind(str(runtime / name))
    bells.ring("requests")
    assert [path.name for path in runtime.iterdir()] == ["responses@dead"]

    bell = bells.hang("requests")
    assert [path.name.partition("@")[0] for path in runtime.iterdir()] == ["requests"]
    bell.close()
    bell.close()
    assert list(runtime.iterdir()) == []


def test_hanging_a_bell_rings_no_other(bells):
    """The look for dead bells does not wake the living."""
    bell = bells.hang("requests")
    bells.hang("requests")
    with pytest.raises(BlockingIOError):
        bell._socket.recv(1)


def test_ringing_survives_a_folder_that_is_gone(bells, runtime):
    """Somebody who tidies up the runtime folder costs promptness, and no error."""
    runtime.rmdir()
    bells.ring("requests")
    runtime.mkdir()


def test_refuses_a_folder_too_long_for_sockets(tmp_path):
    """A runtime folder whose sockets could not be named is refused at start, with the mend."""
    with pytest.raises(ConfigurationError, match="at most 63 bytes"):
        Bells(Path("/tmp") / ("x" * 100))
