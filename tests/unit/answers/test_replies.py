"""iraas.answers.replies: this process's own response queue is heard, and made again when somebody removed it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from iraas.answers.replies import Replies
from iraas.answers.wait import Answers
from iraas.errors import BackendUnavailable, QueueVanished
from iraas.messages import Failure, Record, Reply, encode
from iraas.queues.port import Message

ID = "0198c6a4-0000-7000-8000-000000000001"
RECORD = Record("ann", Failure(id=ID, slug="undecodable-image", detail="said"))


class Ear:
    """Replies over parts in memory, and who waits for them."""

    def __init__(self, parts) -> None:
        self.parts = parts
        self.workers: list[str] = []
        self.answers = Answers(
            results=parts.results, telemetry=parts.telemetry, on_answer=lambda _id, _busy_ms: None
        )
        self.replies = Replies(
            responses=parts.responses,
            answers=self.answers,
            telemetry=parts.telemetry,
            saw_worker=self.workers.append,
        )

    @asynccontextmanager
    async def listening(self):
        """Open and heard; closed on the way out."""
        await self.replies.open()
        task = asyncio.create_task(self.replies.listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.replies.close()

    async def send(self, body: bytes) -> None:
        """As a worker does."""
        await self.parts.responses.send(self.replies.name, [Message(body)])


@pytest.fixture
def ear(parts):
    """Replies over parts in memory."""
    return Ear(parts)


async def test_a_reply_reaches_who_waits_and_leaves_the_queue(ear, parts):
    """The record arrives, its worker was seen, and the message is deleted."""
    async with ear.listening():
        with ear.answers.expect(ID) as waiter:
            await ear.send(encode(Reply(RECORD, worker="w1")))
            assert await ear.answers.wait(ID, waiter, 30) == RECORD
        [queue] = parts.responses._queues.values()
        await asyncio.gather(*ear.replies._deleting)
        assert (await queue.depth())[:2] == (0, 0)

    assert ear.workers == ["w1"]


async def test_a_message_that_is_no_reply_harms_nobody(ear, parts):
    """Junk in the response queue is counted and deleted; the reply behind it arrives."""
    async with ear.listening():
        with ear.answers.expect(ID) as waiter:
            await ear.send(b"junk")
            await ear.send(encode(Reply(RECORD)))
            assert await ear.answers.wait(ID, waiter, 30) == RECORD

    assert parts.counted("iraas_malformed_messages_total") == 1


async def test_a_queue_that_vanished_is_made_again(ear, parts):
    """When somebody removed the queue, the next jobs name a new one, and its replies arrive."""
    async with ear.listening():
        old = ear.replies.name
        [queue] = parts.responses._queues.values()

        async def receive(*, up_to, wait):
            raise QueueVanished("somebody removed it")

        queue.receive = receive
        await ear.send(encode(Reply(RECORD)))  # wakes the listener
        async with asyncio.timeout(10):
            while ear.replies.name == old:  # noqa: ASYNC110 - all in memory: some turns of the loop
                await asyncio.sleep(0)
        with ear.answers.expect(ID) as waiter:
            await ear.send(encode(Reply(RECORD)))
            assert await ear.answers.wait(ID, waiter, 30) == RECORD


async def test_a_queue_that_is_away_is_heard_again(ear, parts, monkeypatch):
    """While the backend fails nothing ends; when it is back, replies arrive."""
    monkeypatch.setattr("iraas.answers.replies.BACKOFF_SECONDS", 0.0)
    await ear.replies.open()
    [queue] = parts.responses._queues.values()
    receive, failures = queue.receive, iter(range(3))

    async def away_at_first(*, up_to, wait):
        if next(failures, None) is not None:
            raise BackendUnavailable("away")
        return await receive(up_to=up_to, wait=wait)

    queue.receive = away_at_first
    listening = asyncio.create_task(ear.replies.listen())
    with ear.answers.expect(ID) as waiter:
        await ear.send(encode(Reply(RECORD)))
        assert await ear.answers.wait(ID, waiter, 30) == RECORD
    assert next(failures, None) is None
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await ear.replies.close()


async def test_a_queue_that_cannot_be_removed_does_not_hinder_the_end(ear, parts, monkeypatch):
    """A process ends in order though the backend is away: its queue is swept later."""

    async def away():
        raise BackendUnavailable("away")

    async with ear.listening():
        monkeypatch.setattr(parts.responses, "close", away)
