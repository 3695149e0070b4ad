"""A queue -> does it keep the promises of `Queue`? Inherit the suite, and give an `open_queue` fixture.

class TestSqliteQueue(LocalQueueContract):
    @pytest.fixture
    def open_queue(self, clock, ...):
        def open_queue(name, **options):  # visibility_timeout, max_receives, dead_letter
            return SqliteQueue(database, name, **options)
        return open_queue

Each call of `open_queue` gives the queue of that name as another process would hold it. Backends differ
only by what they declare (`fences`, `tells_age`, `durable_against`, `max_batch`). One that lives in real time
overrides `clock` with whatever can `advance`, and says whether its `depth_is_exact`.
"""

from __future__ import annotations

import pytest

from iraas.queues.port import Message, Queue, ResponseQueues
from iraas.testing.manual_clock import ManualClock
from iraas.testing.queue_case import DepthCase, OpenQueue, bodies, receipts
from iraas.testing.queue_delivery import DeliveryContract
from iraas.testing.queue_sharing import SharingContract
from iraas.testing.queue_waiting import WaitingContract

NAMES_OF_OTHERS = ("", "requests", "x{}", "{}x", "{}/", " {}", "../{}", "{}\n")  # {}: a name of ours


class QueueContract(DeliveryContract, WaitingContract, SharingContract):
    """Every promise of `Queue`, by its number."""


class LocalQueueContract(QueueContract):
    """What a backend on one machine promises besides."""

    async def test_drops_a_second_message_of_the_same_id(self, queue: Queue) -> None:
        """While a message lives, visible or held, a second one with its id is dropped, and the first stays."""
        await queue.send([Message(b"first", "an-id"), Message(b"second", "an-id"), Message(b"other", "b")])
        await queue.send([Message(b"third", "an-id")])
        deliveries = await queue.receive(up_to=9, wait=0)
        await queue.send([Message(b"fourth", "an-id")])

        assert bodies(deliveries) == [b"first", b"other"]
        await self.expect_depth(queue, 0, 2)
        await queue.delete(receipts(deliveries))
        await queue.send([Message(b"fifth", "an-id")])
        assert bodies(await queue.receive(up_to=9, wait=0)) == [b"fifth"]

    async def test_messages_without_an_id_are_all_different(self, queue: Queue) -> None:
        """An empty id is never the same as another."""
        await queue.send([Message(b"same"), Message(b"same")])
        assert bodies(await queue.receive(up_to=9, wait=0)) == [b"same", b"same"]

    async def test_a_dead_letter_does_not_hinder_its_successor(self, open_queue: OpenQueue) -> None:
        """The id of a dead letter may be sent again; when that dies as well, the first letter stays alone."""
        dead_letters = open_queue("dead")
        queue = open_queue("requests", max_receives=1, dead_letter="dead")
        for body in (b"first", b"second"):
            await queue.send([Message(body, "an-id")])
            [delivery] = await queue.receive(up_to=1, wait=0)
            assert delivery.body == body
            await queue.release([delivery.receipt])
            assert await queue.receive(up_to=1, wait=0) == []

        await self.expect_depth(queue, 0, 0)
        assert bodies(await dead_letters.receive(up_to=9, wait=0)) == [b"first"]

    async def test_a_late_worker_may_finish_what_nobody_took(self, queue: Queue, clock: ManualClock) -> None:
        """A receipt is good after its timeout until the message is delivered again."""
        await queue.send([Message(b"job")])
        held = receipts(await queue.receive(up_to=1, wait=0))
        clock.advance(2 * queue.visibility_timeout)
        await queue.extend(held, seconds=queue.visibility_timeout)
        assert await queue.receive(up_to=1, wait=0) == []

        await queue.delete(held)
        await self.expect_depth(queue, 0, 0)

    async def test_gives_the_oldest_first(self, queue: Queue, clock: ManualClock) -> None:
        """Who came first is served first, also after having been given back."""
        for number in range(4):
            await queue.send([Message(b"%d" % number)])
            clock.advance(1)
        held = receipts(await queue.receive(up_to=2, wait=0))
        await queue.release(held)

        assert bodies(await queue.receive(up_to=2, wait=0)) == [b"0", b"1"]


class ResponseQueuesContract(DepthCase):
    """The promises of `ResponseQueues`, by their numbers. Give `web` and `worker`: two processes' views."""

    async def test_a_reply_reaches_the_process_that_asked(
        self, web: ResponseQueues, worker: ResponseQueues
    ) -> None:
        """Promise 2: what a worker sends to the name in `reply_to` is received there, and is a queue's message."""
        name, queue = await web.open()
        await worker.send(name, [Message(b"one"), Message(b"two")])
        deliveries = await queue.receive(up_to=9, wait=0)
        await queue.delete(receipts(deliveries))

        assert bodies(deliveries) == [b"one", b"two"]
        await self.expect_depth(queue, 0, 0)

    async def test_each_opening_makes_another_queue(
        self, web: ResponseQueues, worker: ResponseQueues
    ) -> None:
        """Promise 1: a name is used once, so that nobody gets replies to somebody who is gone."""
        old, _ = await web.open()
        await web.close()
        new, queue = await web.open()
        await worker.send(old, [Message(b"too late")])

        assert new != old
        assert await queue.receive(up_to=1, wait=0) == []

    async def test_replies_to_nobody_are_dropped(self, web: ResponseQueues, worker: ResponseQueues) -> None:
        """Promise 2: a queue that is gone, or never was, swallows replies without a sound."""
        name, _ = await web.open()
        await worker.send(name, [Message(b"not received in time")])
        await web.close()
        await worker.send(name, [Message(b"too late")])
        await worker.send(name[:-12] + "0" * 12, [Message(b"to nobody")])

        _, queue = await web.open()
        assert await queue.depth() == (0, 0, 0.0)

    async def test_refuses_names_of_others(self, web: ResponseQueues, worker: ResponseQueues) -> None:
        """Promise 3: whoever forges `reply_to` cannot make a worker write into any other queue."""
        name, _ = await web.open()
        for pattern in (*NAMES_OF_OTHERS, name[:-12], name.upper()):
            with pytest.raises(ValueError, match="not a response queue of this deployment"):
                await worker.send(pattern.format(name), [Message(b"reply")])
        with pytest.raises(ValueError, match="at most"):
            await worker.send(name, [Message(b"reply")] * 1_000_000)

    async def test_closing_twice_is_closing(self, web: ResponseQueues) -> None:
        """`close` without `open`, and after another `close`, does nothing."""
        await web.close()
        await web.open()
        await web.close()
        await web.close()
