"""What the embedded queue does beyond its port: owners, cancelled receivers, response queues."""

import asyncio
import threading

import pytest

from iraas.queues import sqlite
from iraas.queues.port import Message
from iraas.queues.queries import queries
from iraas.queues.sqlite import SqliteQueue, SqliteResponseQueues

PATIENCE = 20.0  # real seconds; only a broken queue needs them


async def test_a_supervisor_ends_a_dead_workers_leases(open_database, clock):
    """`end_leases` gives back at once what one owner held, makes its receipts stale, and leaves the rest."""
    opened = open_database(inline=True)
    dead, living = (SqliteQueue(opened, "requests", owner=owner) for owner in ("worker-1", "worker-2"))
    await dead.send([Message(b"%d" % number) for number in range(5)])
    lost = await dead.receive(up_to=2, wait=0)
    kept = await living.receive(up_to=1, wait=0)

    assert await living.end_leases("worker-1") == 2
    assert await living.end_leases("worker-1") == 0
    assert (await living.depth())[:2] == (4, 1)
    await living.delete([delivery.receipt for delivery in lost])
    assert (await living.depth())[:2] == (4, 1)
    await living.delete([delivery.receipt for delivery in kept])
    assert (await living.depth())[:2] == (4, 0)


@pytest.mark.parametrize("giving", ["send", "release"])
async def test_what_becomes_visible_wakes_who_waits(open_database, monkeypatch, somebody_waits, giving):
    """A message that is sent, or given back, rings for whoever waits, who does not look by himself."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    opened = open_database()
    queue, other = SqliteQueue(opened, "requests"), SqliteQueue(opened, "requests")
    await other.send([Message(b"job")])
    [held] = await other.receive(up_to=1, wait=0)
    receiving = asyncio.create_task(queue.receive(up_to=1, wait=20))
    await somebody_waits.wait()
    await (other.send([Message(b"job")]) if giving == "send" else other.release([held.receipt]))
    async with asyncio.timeout(PATIENCE):
        assert [delivery.body for delivery in await receiving] == [b"job"]


async def test_what_is_sent_before_the_bell_hangs_is_not_missed(open_database, monkeypatch):
    """A message that comes after the first look, when there is no bell to ring yet, is found by a second look."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    opened = open_database(inline=True)
    queue, hang = SqliteQueue(opened, "requests"), opened.bells.hang

    def hang_too_late(name):
        with pytest.raises(StopIteration):
            queue.send([Message(b"job")]).send(None)  # inline, a coroutine runs to its end
        return hang(name)

    opened.bells.hang = hang_too_late
    async with asyncio.timeout(PATIENCE):
        assert len(await queue.receive(up_to=1, wait=20)) == 1


async def test_a_ring_that_another_receiver_heard_is_not_missed(open_database, monkeypatch, somebody_waits):
    """Two messages come while one task waits and another has just looked: each gets one."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    opened = open_database(inline=True)
    queue, run = SqliteQueue(opened, "requests"), opened.run
    waiting = asyncio.create_task(queue.receive(up_to=1, wait=20))
    await somebody_waits.wait()

    async def look_and_dawdle(work, *, undo):
        opened.run = run
        found = await run(work, undo=undo)
        await queue.send([Message(b"one"), Message(b"two")])
        await waiting  # it heard the ring, which nobody will hear again
        return found

    opened.run = look_and_dawdle
    async with asyncio.timeout(PATIENCE):
        assert len(await queue.receive(up_to=1, wait=20)) == 1
        assert len(await waiting) == 1


async def test_ending_leases_wakes_who_waits(open_database, monkeypatch, somebody_waits):
    """A worker that waits gets a dead one's message in the moment that its lease is ended."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    opened = open_database()
    dead, living = SqliteQueue(opened, "requests", owner="worker-1"), SqliteQueue(opened, "requests")
    await dead.send([Message(b"job")])
    await dead.receive(up_to=1, wait=0)
    receiving = asyncio.create_task(living.receive(up_to=1, wait=20))
    await somebody_waits.wait()
    await living.end_leases("worker-1")
    async with asyncio.timeout(PATIENCE):
        [delivery] = await receiving
    assert delivery.receive_count == 2


async def test_a_lease_that_ends_wakes_who_waits(open_database, clock, monkeypatch, somebody_waits):
    """A receiver sleeps no longer than until the first lease is over, though nobody rings then."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    queue = SqliteQueue(open_database(), "requests", visibility_timeout=0.1)
    await queue.send([Message(b"job")])
    await queue.receive(up_to=1, wait=0)
    receiving = asyncio.create_task(queue.receive(up_to=1, wait=20))
    await somebody_waits.wait()
    clock.advance(0.1)  # this clock rings no bell
    async with asyncio.timeout(PATIENCE):
        [delivery] = await receiving
    assert delivery.receive_count == 2


async def test_nobody_ends_the_leases_of_the_nameless(open_database):
    """An empty owner is refused: it would be everybody's."""
    with pytest.raises(ValueError, match="needs an owner's name"):
        await SqliteQueue(open_database(), "requests").end_leases("")


async def test_a_receiver_cancelled_in_mid_lease_gives_back(open_database):
    """A receive that is cancelled while its thread leases holds nothing, without any time passing."""
    opened = open_database()
    queue = SqliteQueue(opened, "requests")
    await queue.send([Message(b"job")])
    busy, go_on = threading.Event(), threading.Event()
    first = asyncio.create_task(opened.run(lambda transaction: (busy.set(), go_on.wait(PATIENCE))))
    await asyncio.to_thread(busy.wait, PATIENCE)
    receiving = asyncio.create_task(queue.receive(up_to=1, wait=0))
    await asyncio.sleep(0)  # it stands in the lane
    receiving.cancel()
    go_on.set()
    await asyncio.gather(first, receiving, return_exceptions=True)

    async with asyncio.timeout(PATIENCE):
        [again] = await queue.receive(up_to=1, wait=20)
    assert (again.body, again.receive_count) == (b"job", 2)


async def test_a_dead_letter_counts_anew(open_database):
    """A dead letter keeps its age and its body; its receive count is of its own queue."""
    opened = open_database(inline=True)
    queue = SqliteQueue(opened, "requests", max_receives=1, dead_letter="dead")
    await queue.send([Message(b"job")])
    [delivery] = await queue.receive(up_to=1, wait=0)
    await queue.release([delivery.receipt])
    assert await queue.receive(up_to=1, wait=0) == []

    [letter] = await SqliteQueue(opened, "dead").receive(up_to=1, wait=0)
    assert (letter.body, letter.receive_count) == (b"job", 1)


async def test_burying_wakes_who_collects(open_database, monkeypatch, somebody_waits):
    """Whoever waits for dead letters gets one in the moment of its burial."""
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 3600.0)
    opened = open_database()
    queue, dead = (
        SqliteQueue(opened, "requests", max_receives=1, dead_letter="dead"),
        SqliteQueue(opened, "dead"),
    )
    await queue.send([Message(b"job")])
    [delivery] = await queue.receive(up_to=1, wait=0)
    await queue.release([delivery.receipt])
    collecting = asyncio.create_task(dead.receive(up_to=1, wait=20))
    await somebody_waits.wait()
    assert await queue.receive(up_to=1, wait=0) == []
    async with asyncio.timeout(PATIENCE):
        assert [letter.body for letter in await collecting] == [b"job"]


async def test_opening_sweeps_what_a_dead_process_left(open_database, monkeypatch):
    """A web process that starts removes the queues and replies of one that was killed, and no others."""
    monkeypatch.setattr(sqlite, "SWEEP_STEP", 2)
    opened = open_database(inline=True)
    await SqliteQueue(opened, "requests").send([Message(b"job")])
    killed = SqliteResponseQueues(opened)
    name, _ = await killed.open()
    await killed.send(name, [Message(b"reply")] * 5)

    own, queue = await SqliteResponseQueues(opened).open()
    await killed.send(name, [Message(b"too late")])
    await killed.send(own, [Message(b"in time")])

    assert [delivery.body for delivery in await queue.receive(up_to=9, wait=0)] == [b"in time"]
    assert await opened.run(lambda transaction: transaction.rows("response_queues")) == [(own,)]
    assert (await SqliteQueue(opened, name).depth())[:2] == (0, 0)
    assert (await SqliteQueue(opened, "requests").depth())[:2] == (1, 0)


async def test_closing_leaves_nothing_behind(open_database):
    """A web process that ends takes its name, its replies and its doorbell with it."""
    opened = open_database(inline=True)
    queues = SqliteResponseQueues(opened)
    name, queue = await queues.open()
    await queues.send(name, [Message(b"reply")] * 3)
    await queues.close()
    await queues.send(name, [Message(b"too late")])

    assert await opened.run(lambda transaction: transaction.rows("response_queues")) == []
    assert (await queue.depth())[:2] == (0, 0)


async def test_a_name_says_prefix_and_twelve_characters(open_database):
    """A response queue is named by its deployment's prefix and twelve lower-case letters and digits."""
    name, _ = await SqliteResponseQueues(open_database(inline=True), prefix="mine-").open()
    assert name.startswith("mine-")
    assert len(name) == len("mine-") + 12
    assert name.removeprefix("mine-").isalnum()
    assert name == name.lower()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("next_due", "COVERING INDEX message_due"),
        ("receive", "COVERING INDEX message_due"),
        ("depth", "COVERING INDEX message_due"),
        ("end_leases", "INDEX message_due"),
        ("empty_queue", "COVERING INDEX message_due"),
        ("delete", "INTEGER PRIMARY KEY"),
        ("extend", "INTEGER PRIMARY KEY"),
        ("release", "INTEGER PRIMARY KEY"),
        ("bury", "INTEGER PRIMARY KEY"),
    ],
)
async def test_no_call_reads_the_whole_table(open_database, query, index):
    """Every statement of the daily work finds its rows by an index."""
    values = dict.fromkeys(
        ("queue", "now", "until", "owner", "up_to", "seq", "fence", "dead_letter", "step"), 0
    )  # what they are does not matter to the plan
    plan = open_database(inline=True)._connection.execute(f"EXPLAIN QUERY PLAN {queries()[query]}", values)
    steps = [detail for *_, detail in plan.fetchall()]

    assert any(index in step for step in steps)
    assert not any(step.startswith("SCAN message") for step in steps)
