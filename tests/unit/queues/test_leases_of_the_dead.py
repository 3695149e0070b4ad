"""A worker's death charges a delivery only to what it was working on."""

from __future__ import annotations

from iraas.queues.port import Message
from iraas.queues.sqlite import SqliteQueue


async def test_what_was_only_held_comes_back_undelivered(open_database):
    """Of three messages that a dead worker held, only the one that it had begun counts a delivery."""
    queue = SqliteQueue(open_database(inline=True), "requests", owner="7")
    await queue.send([Message(b"%d" % number) for number in range(3)])
    held = await queue.receive(up_to=3, wait=0)
    begun = next(delivery for delivery in held if delivery.body == b"1")

    assert await queue.end_leases("7", begun=[begun.receipt]) == 3

    counts = {delivery.body: delivery.receive_count for delivery in await queue.receive(up_to=3, wait=0)}
    assert counts == {b"0": 1, b"1": 2, b"2": 1}


async def test_dying_workers_never_carry_a_held_message_to_the_grave(open_database):
    """However often its workers die, a message that none of them had begun is not a dead letter."""
    opened = open_database(inline=True)
    queue = SqliteQueue(opened, "requests", owner="7", max_receives=3, dead_letter="dead")
    await queue.send([Message(b"innocent")])
    for _ in range(10):
        assert len(await queue.receive(up_to=1, wait=0)) == 1
        await queue.end_leases("7", begun=[])

    assert sum((await SqliteQueue(opened, "dead").depth())[:2]) == 0


async def test_a_note_of_an_earlier_delivery_charges_nobody(open_database):
    """A receipt that is no longer good, or is somebody else's, changes no count."""
    queue = SqliteQueue(open_database(inline=True), "requests", owner="7")
    await queue.send([Message(b"job")])
    [stale] = await queue.receive(up_to=1, wait=0)
    await queue.release([stale.receipt])
    await queue.receive(up_to=1, wait=0)

    await queue.end_leases("7", begun=[stale.receipt])

    [delivery] = await queue.receive(up_to=1, wait=0)
    assert delivery.receive_count == 2  # the first delivery, and this one


async def test_a_new_supervisor_finds_who_held_leases(open_database):
    """`owners` names those who hold something now, and nobody else."""
    opened = open_database(inline=True)
    first, second = (SqliteQueue(opened, "requests", owner=owner) for owner in ("7", "8"))
    await first.send([Message(b"a"), Message(b"b")])
    await first.receive(up_to=1, wait=0)
    held = await second.receive(up_to=1, wait=0)
    assert sorted(await first.owners()) == ["7", "8"]

    await second.delete([delivery.receipt for delivery in held])
    assert await first.owners() == ["7"]
