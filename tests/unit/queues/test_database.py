"""The queues' file: who may read it, what a broken or a full one says, what a restart and a clock do to it."""

import asyncio
import fcntl
import sqlite3
import threading

import pytest

from iraas.errors import BackendUnavailable, OutOfRoom
from iraas.queues import connection, database
from iraas.queues.port import Message
from iraas.queues.sqlite import SqliteQueue

HOUR = 3600.0  # seconds
DAY = 24 * HOUR


async def receive(queue):
    """The bodies of all that is visible."""
    return sorted(delivery.body for delivery in await queue.receive(up_to=100, wait=0))


def test_the_files_are_private(open_database, tmp_path):
    """Folder and files, the journal's too, are for their owner alone."""
    open_database(inline=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"queue.sqlite3", "queue.sqlite3-wal", "queue.next", "queue.turn"} <= set(modes)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("power", 2)])
def test_durability_is_what_sqlite_is_told(open_database, durability, synchronous):
    """`process` writes without waiting for the disk, `power` waits: synchronous NORMAL and FULL, in WAL."""
    opened = open_database(durability=durability, inline=True)
    assert opened._connection.execute("PRAGMA synchronous").fetchall() == [(synchronous,)]
    assert opened._connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert SqliteQueue(opened, "requests").durable_against == durability


async def test_a_worker_never_suspends(open_database):
    """Inline, every call that does not wait runs to its end without an event loop's help."""
    queue = SqliteQueue(open_database(inline=True), "requests")

    def at_once(call):
        with pytest.raises(StopIteration) as end:
            call.send(None)
        return end.value.value

    at_once(queue.send([Message(b"job")]))
    [delivery] = at_once(queue.receive(up_to=1, wait=20))
    at_once(queue.extend([delivery.receipt], seconds=60))
    at_once(queue.release([delivery.receipt]))
    assert at_once(queue.receive(up_to=1, wait=0))[0].receive_count == 2
    at_once(queue.delete([delivery.receipt]))
    assert at_once(queue.depth()).in_flight == 1


async def test_writers_pass_the_gate_and_readers_do_not(open_database, tmp_path):
    """Who writes is alone in the gate until he has committed; who only looks leaves it to others."""
    opened = open_database(inline=True)
    turn = (tmp_path / "data" / "queue.turn").open()

    def is_free():
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(turn, fcntl.LOCK_UN)
        return True

    with turn:
        assert await opened.run(lambda transaction: (transaction.rows("response_queues"), is_free())[1])
        assert not await opened.run(lambda transaction: (transaction.begin(), is_free())[1])
        assert is_free()


async def test_calls_of_many_tasks_share_a_transaction(open_database):
    """In a thread, what is asked for while it is busy is committed at once, and rings once."""
    opened = open_database()
    queue = SqliteQueue(opened, "requests")
    rung = []
    opened.bells.ring = rung.append
    busy, go_on = threading.Event(), threading.Event()
    first = asyncio.create_task(opened.run(lambda transaction: (busy.set(), go_on.wait(20))))
    await asyncio.to_thread(busy.wait, 20)
    sends = [asyncio.create_task(queue.send([Message(b"job")])) for _ in range(50)]
    await asyncio.sleep(0)  # they stand in the lane
    go_on.set()
    await asyncio.gather(first, *sends)

    assert rung == ["requests"]
    assert (await queue.depth()).visible == 50


async def test_one_call_does_not_spoil_another(open_database):
    """In a group, a call that fails is undone alone."""
    opened = open_database()
    queue = SqliteQueue(opened, "requests")

    def fail(transaction):
        transaction.begin()
        transaction.change("remember_boot", id="nonsense")
        raise KeyError("a bug")

    outcomes = await asyncio.gather(
        queue.send([Message(b"one")]), opened.run(fail), queue.send([Message(b"two")]), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), KeyError, type(None)]
    assert await receive(queue) == [b"one", b"two"]
    assert len(await opened.run(lambda transaction: transaction.rows("last_boot"))) == 1


@pytest.mark.parametrize("inline", [True, False])
async def test_a_full_file_takes_nothing_and_can_be_emptied(open_database, inline):
    """At `max_bytes` a send is refused whole; receive and delete work, and make room again."""
    queue = SqliteQueue(open_database(inline=inline, max_bytes=200_000), "requests")
    batch = [Message(b"x" * 1_000)] * 20

    async def send_for_ever():
        while True:
            await queue.send(batch)

    with pytest.raises(OutOfRoom, match="200000 bytes"):
        await send_for_ever()
    sent = (await queue.depth()).visible
    assert sent > 100
    assert sent % len(batch) == 0

    deliveries = await queue.receive(up_to=100, wait=0)
    await queue.extend([delivery.receipt for delivery in deliveries], seconds=60)
    await queue.delete([delivery.receipt for delivery in deliveries])
    await queue.send(batch)
    assert (await queue.depth())[:2] == (sent - 100 + 20, 0)


@pytest.mark.parametrize("inline", [True, False])
async def test_a_full_disk_is_out_of_room(open_database, inline):
    """What SQLite calls full is `OutOfRoom`, nothing of the batch is kept, and other calls go on."""
    opened = open_database(inline=inline)
    queue = SqliteQueue(opened, "requests")
    await queue.send([Message(b"before")])
    [(pages,)] = opened._connection.execute("PRAGMA page_count").fetchall()
    opened._connection.execute(f"PRAGMA max_page_count = {pages + 10}")

    refused, _ = await asyncio.gather(
        queue.send([Message(b"x" * 20_000)] * 9), queue.send([Message(b"small")]), return_exceptions=True
    )
    assert isinstance(refused, OutOfRoom)
    assert "queue.sqlite3" in refused.detail
    assert await receive(queue) == [b"before", b"small"]


async def test_a_file_that_cannot_be_had_is_unavailable(open_database, tmp_path, monkeypatch):
    """A lock that somebody else keeps is `BackendUnavailable`, and only for as long as he keeps it."""
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.01)
    queue = SqliteQueue(open_database(inline=True), "requests")
    shell = sqlite3.connect(tmp_path / "data" / "queue.sqlite3", isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackendUnavailable, match="locked"):
        await queue.send([Message(b"job")])
    shell.close()
    await queue.send([Message(b"job")])


@pytest.mark.parametrize("inline", [True, False])
async def test_a_damaged_file_says_the_mend(open_database, tmp_path, inline):
    """Damage found in the middle of the file names the file and what to do about it."""
    whole = open_database(inline=inline)
    queue = SqliteQueue(whole, "requests")
    for _ in range(20):
        await queue.send([Message(b"job" * 100)] * 20)
    whole.close()
    path = tmp_path / "data" / "queue.sqlite3"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))

    with pytest.raises(BackendUnavailable, match=r"queue\.sqlite3 is damaged.*move the file away"):
        await receive(SqliteQueue(open_database(inline=inline), "requests"))


def test_what_is_no_database_says_the_mend(open_database, tmp_path):
    """A file of something else is left as it is, and named."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "queue.sqlite3").write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(BackendUnavailable, match=r"queue\.sqlite3 is damaged.*move the file away"):
        open_database()
    assert (tmp_path / "data" / "queue.sqlite3").read_bytes().startswith(b"not a database")


def test_a_newer_file_is_left_alone(open_database, monkeypatch):
    """A file that a later version made is refused, not changed."""
    monkeypatch.setattr(connection, "SCHEMA_VERSION", 99)
    open_database(inline=True).close()
    monkeypatch.undo()
    with pytest.raises(BackendUnavailable, match="made by a newer iraas"):
        open_database()


def test_a_folder_that_cannot_be_made_is_unavailable(open_database, tmp_path):
    """A file in the folder's place is named."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(BackendUnavailable, match=r"data.*exists"):
        open_database()


@pytest.mark.parametrize("inline", [True, False])
async def test_a_closed_database_says_so(open_database, inline):
    """After `close`, which may come twice, calls are refused in words."""
    opened = open_database(inline=inline)
    opened.close()
    opened.close()
    with pytest.raises(BackendUnavailable, match="closed by this process"):
        await SqliteQueue(opened, "requests").depth()


async def test_expires_what_is_old_in_every_queue(open_database, clock, monkeypatch):
    """Retention removes what was sent too long ago, visible or held, in steps, and nothing younger."""
    monkeypatch.setattr(database, "EXPIRE_STEP", 2)
    opened = open_database()
    requests, replies = SqliteQueue(opened, "requests"), SqliteQueue(opened, "responses-abc")
    await requests.send([Message(b"old")] * 5)
    await replies.send([Message(b"old")] * 2)
    await requests.receive(up_to=1, wait=0)
    clock.advance(DAY)
    await requests.send([Message(b"young")] * 3)
    assert await opened.expire(DAY) == 0, "exactly as old is not older"

    clock.advance(1)
    assert await opened.expire(DAY) == 7
    assert await opened.expire(DAY) == 0
    assert (await requests.depth())[:2] == (3, 0)
    assert (await replies.depth())[:2] == (0, 0)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_jump_of_the_wall_clock_changes_nothing(open_database, clock, jump):
    """Leases, ages and retention go on as if the wall clock had not moved an hour either way."""
    opened = open_database()
    queue = SqliteQueue(opened, "requests")
    await queue.send([Message(b"held"), Message(b"waiting")])
    await queue.receive(up_to=1, wait=0)
    clock.jump_wall(jump)
    await queue.send([Message(b"after")])

    assert await queue.depth() == (2, 1, 0.0)
    assert await opened.expire(HOUR / 2) == 0
    clock.advance(HOUR / 2 + 1)
    assert await queue.depth() == (3, 0, HOUR / 2 + 1)
    assert await opened.expire(HOUR / 2) == 3


async def test_a_restart_ends_all_leases(open_database, clock):
    """After a restart of the machine everything is visible, old receipts are stale, and ages go on."""
    before = SqliteQueue(earlier := open_database(), "requests")
    await before.send([Message(b"held"), Message(b"waiting")])
    clock.advance(100)
    [held] = await before.receive(up_to=1, wait=0)
    earlier.close()
    clock.reboot()

    after = SqliteQueue(opened := open_database(), "requests")
    assert await after.depth() == (2, 0, 160.0)
    await after.delete([held.receipt])
    assert len(await after.receive(up_to=9, wait=0)) == 2
    open_database()
    assert (await after.depth()).in_flight == 2, "a second process of this boot ends nothing"
    assert await opened.expire(159) == 2


async def test_a_restart_is_noticed_without_a_boot_id(open_database, clock, monkeypatch):
    """Where the system names no boot, messages from the future tell of one."""
    monkeypatch.setattr(type(clock), "boot_id", "unknown")
    before = SqliteQueue(earlier := open_database(), "requests")
    await before.send([Message(b"held")])
    await before.receive(up_to=1, wait=0)
    earlier.close()
    clock.reboot()

    assert await receive(SqliteQueue(open_database(), "requests")) == [b"held"]
