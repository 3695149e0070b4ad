"""Real processes at one embedded queue: killed, flooding, waiting, late.

Run as a script, this file is one of those processes: `ROLE FOLDER RUNTIME`.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from iraas.clock import SystemClock
from iraas.queues import sqlite
from iraas.queues.gate import Gate
from iraas.queues.port import Message
from iraas.queues.sqlite import SqliteDatabase, SqliteQueue

FOR_EVER = 3600.0  # seconds
PATIENCE = 30.0  # real seconds for what takes less than one; an unfair or deaf queue needs many more
SHARE = 25  # messages that each consumer must get beside the flood
SLOW_DISK = 0.01  # seconds that a flooding producer spends in each transaction, and next to none outside
ROUNDS = 100  # of asking and answering


def open_queue(folder, runtime, name="requests", **options):
    """This process's view of a queue."""
    database = SqliteDatabase(folder, clock=SystemClock(), runtime=runtime, inline=True)
    return SqliteQueue(database, name, **options)


async def send_and_say_so(folder, runtime):
    """Send for ever; say each number once its message is accepted."""
    queue = open_queue(folder, runtime)
    for number in range(1_000_000):
        await queue.send([Message(b"%d" % number, f"{number}")])
        print(number, flush=True)  # noqa: T201


async def flood(folder, runtime):
    """Send for ever, without a pause, to a slow disk."""
    queue = open_queue(folder, runtime)

    def send_slowly(transaction):
        queue._ledger.add(transaction, [Message(b"job")])
        time.sleep(SLOW_DISK)

    await queue.send([Message(b"job")] * SHARE)
    print("flooding", flush=True)  # noqa: T201
    while True:
        await queue._database.run(send_slowly)


async def consume(folder, runtime):
    """Take one's share, one by one, then say so."""
    await take_a_share(open_queue(folder, runtime))
    print("done", flush=True)  # noqa: T201


async def take_a_share(queue):
    """Receive and delete, one message at a time."""
    for _ in range(SHARE):
        [delivery] = await queue.receive(up_to=1, wait=20)
        await queue.delete([delivery.receipt])


async def answer(folder, runtime):
    """Answer each request, woken by the doorbell alone."""
    sqlite.LOOK_SECONDS = FOR_EVER
    requests, replies = open_queue(folder, runtime), open_queue(folder, runtime, "replies")
    for _ in range(ROUNDS):
        [request] = await requests.receive(up_to=1, wait=20)
        await replies.send([Message(b"re: " + request.body)])
        await requests.delete([request.receipt])


async def hold_and_delete_late(folder, runtime):
    """Receive, say so, and delete when told to."""
    queue = open_queue(folder, runtime, owner="worker-1")
    [delivery] = await queue.receive(up_to=1, wait=20)
    print("held", flush=True)  # noqa: T201
    sys.stdin.readline()
    await queue.delete([delivery.receipt])
    print("deleted", flush=True)  # noqa: T201


async def stand_in_the_gate(folder, runtime):
    """Enter the gate and stay."""
    Gate(folder).enter()
    print("inside", flush=True)  # noqa: T201
    sys.stdin.readline()


@pytest.fixture
def folders(tmp_path):
    """Data folder and runtime folder."""
    with tempfile.TemporaryDirectory() as runtime:
        yield tmp_path / "data", Path(runtime)


@pytest.fixture
def start(folders):
    """Starts a process of this file in a role; all are gone at the end."""
    started = []

    def start(role):
        command = [sys.executable, __file__, role.__name__, *map(str, folders)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def open_here(folders):
    """Opens a queue in this process."""
    opened = []

    def open_here(name="requests", **options):
        opened.append(open_queue(*folders, name, **options))
        return opened[-1]

    yield open_here
    for queue in opened:
        queue._database.close()


async def test_kill_of_senders_loses_nothing_accepted(start, open_here, folders):
    """Promise 1: every message whose `send` returned before a kill -9 is delivered."""
    sender = start(send_and_say_so)
    accepted = [sender.stdout.readline() for _ in range(500)]
    sender.kill()
    accepted += sender.stdout

    queue = open_here()
    received = set()
    while deliveries := await queue.receive(up_to=queue.max_batch, wait=0):
        received |= {int(delivery.body) for delivery in deliveries}
    assert received >= {int(line) for line in accepted}
    assert len(received) <= len(accepted) + 1, "one send may have been under way"


async def test_consumers_are_not_starved_by_a_flood(start, open_here):
    """Trap 1: beside producers that send without a pause, each consumer gets its turns.

    With SQLite's own busy wait a consumer was seen to get 4 messages a second.
    """
    for producer in (start(flood), start(flood)):
        assert producer.stdout.readline() == "flooding\n"
    other = start(consume)
    async with asyncio.timeout(PATIENCE):
        await take_a_share(open_here())
        assert await asyncio.to_thread(other.stdout.readline) == "done\n"


async def test_hands_over_by_doorbell_alone(start, open_here, monkeypatch):
    """Trap 2: two processes that look only when the bell rings hand messages to and fro."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", FOR_EVER)
    start(answer)
    requests, replies = open_here(), open_here("replies")
    async with asyncio.timeout(PATIENCE):
        for number in range(ROUNDS):
            await requests.send([Message(b"%d" % number)])
            [reply] = await replies.receive(up_to=1, wait=20)
            assert reply.body == b"re: %d" % number
            await replies.delete([reply.receipt])


async def test_a_late_delete_hits_nobody(start, open_here):
    """Trap 3: a process whose lease was ended deletes nothing of whoever has the message now."""
    queue = open_here()
    await queue.send([Message(b"job")])
    late = start(hold_and_delete_late)
    assert late.stdout.readline() == "held\n"
    assert await queue.end_leases("worker-1") == 1
    [delivery] = await queue.receive(up_to=1, wait=0)

    late.stdin.write("now\n")
    late.stdin.flush()
    assert late.stdout.readline() == "deleted\n"
    assert (await queue.depth())[:2] == (0, 1)
    await queue.delete([delivery.receipt])
    assert (await queue.depth())[:2] == (0, 0)


async def test_a_dead_workers_message_comes_at_once(start, open_here, monkeypatch):
    """When a supervisor ends a killed worker's leases, who waits gets its message without looking."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", FOR_EVER)
    supervisor, worker = open_here(), open_here()
    await supervisor.send([Message(b"job")])
    killed = start(hold_and_delete_late)
    assert killed.stdout.readline() == "held\n"
    receiving = asyncio.create_task(worker.receive(up_to=1, wait=20))
    await asyncio.sleep(0)  # inline, it looks and waits before anything else happens
    killed.kill()
    killed.wait()
    assert await supervisor.end_leases("worker-1") == 1
    async with asyncio.timeout(PATIENCE):
        [delivery] = await receiving
    assert delivery.receive_count == 2


async def test_a_writer_killed_in_the_gate_opens_it(start, open_here):
    """A process that dies while it writes keeps nobody else from writing."""
    queue = open_here()
    inside = start(stand_in_the_gate)
    assert inside.stdout.readline() == "inside\n"
    sending = asyncio.create_task(asyncio.to_thread(asyncio.run, queue.send([Message(b"job")])))
    await asyncio.sleep(0)
    inside.kill()
    async with asyncio.timeout(PATIENCE):
        await sending
    assert (await queue.depth()).visible == 1


if __name__ == "__main__":
    role, *paths = sys.argv[1:]
    asyncio.run(globals()[role](*map(Path, paths)))
