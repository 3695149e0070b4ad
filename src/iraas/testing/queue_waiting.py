"""Promise 5 of a queue: `receive` waits, no longer than asked, and no longer than it must."""

from __future__ import annotations

import asyncio

from iraas.queues.port import Delivery, Message, Queue
from iraas.testing.manual_clock import ManualClock
from iraas.testing.queue_case import PATIENCE, OpenQueue, QueueCase, bodies, receipts


class WaitingContract(QueueCase):
    """Receivers that wait, and what ends their wait."""

    async def test_waits_no_longer_than_asked(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 5: `receive` gives an empty list when its time is over without a message."""
        receiving = asyncio.create_task(queue.receive(up_to=1, wait=5))
        await asyncio.sleep(0)  # it has begun
        clock.advance(5)
        async with asyncio.timeout(PATIENCE):
            assert await receiving == []

    async def test_returns_as_soon_as_a_message_is_sent(self, queue: Queue, open_queue: OpenQueue) -> None:
        """Promise 5: who waits gets what another process sends, without any time passing."""
        receiving = asyncio.create_task(queue.receive(up_to=2, wait=queue.max_wait))
        await asyncio.sleep(0)  # it has begun
        await open_queue("requests").send([Message(b"job")])
        async with asyncio.timeout(PATIENCE):
            assert bodies(await receiving) == [b"job"]

    async def test_returns_as_soon_as_a_lease_is_over(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 5: who waits gets what a dead worker held, in the moment of its visibility timeout."""
        await queue.send([Message(b"job")])
        await queue.receive(up_to=1, wait=0)
        clock.advance(queue.visibility_timeout - 1)
        receiving = asyncio.create_task(queue.receive(up_to=1, wait=queue.max_wait))
        await asyncio.sleep(0)  # it has begun
        clock.advance(1)
        async with asyncio.timeout(PATIENCE):
            assert bodies(await receiving) == [b"job"]

    async def test_returns_as_soon_as_a_message_is_released(
        self, queue: Queue, open_queue: OpenQueue
    ) -> None:
        """Promise 5: who waits gets what another process gives back."""
        other = open_queue("requests")
        await other.send([Message(b"job")])
        held = await other.receive(up_to=1, wait=0)
        receiving = asyncio.create_task(queue.receive(up_to=1, wait=queue.max_wait))
        await asyncio.sleep(0)  # it has begun
        await other.release(receipts(held))
        async with asyncio.timeout(PATIENCE):
            assert bodies(await receiving) == [b"job"]

    async def test_every_waiting_receiver_is_served(self, queue: Queue) -> None:
        """Promise 5: tasks that wait at one queue object each get a message when there is one for each."""
        receiving = [asyncio.create_task(queue.receive(up_to=1, wait=queue.max_wait)) for _ in range(5)]
        await asyncio.sleep(0)  # they have begun
        await queue.send([Message(b"%d" % number) for number in range(5)])
        async with asyncio.timeout(PATIENCE):
            received = await asyncio.gather(*receiving)
        assert bodies([delivery for deliveries in received for delivery in deliveries]) == [
            b"0", b"1", b"2", b"3", b"4",
        ]  # fmt: skip

    async def test_a_cancelled_receive_loses_nothing(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 2: a receiver that is cancelled while it waits takes no message with it."""
        receiving = asyncio.create_task(queue.receive(up_to=1, wait=queue.max_wait))
        await asyncio.sleep(0)  # it has begun
        await queue.send([Message(b"job")])
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)

        found: list[Delivery] = []
        async with asyncio.timeout(PATIENCE):
            while not found:  # its request may be under way still, and take the message for a lease
                clock.advance(queue.visibility_timeout)
                found = await queue.receive(up_to=1, wait=1)
        assert bodies(found) == [b"job"]
