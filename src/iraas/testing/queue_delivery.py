"""Promises 1 to 4 and 7 of a queue: what is sent arrives, is hidden, comes back, is buried, and is counted."""

from __future__ import annotations

import math

import pytest

from iraas.queues.port import Delivery, Message, Queue
from iraas.testing.manual_clock import ManualClock
from iraas.testing.queue_case import OpenQueue, QueueCase, bodies, receipts

MAX_RECEIVES = 3


class DeliveryContract(QueueCase):
    """One process, one queue."""

    async def test_gives_what_was_sent(self, queue: Queue) -> None:
        """Promise 2: every byte of a message arrives, with a receive count of one."""
        everything = bytes(range(256))
        await queue.send([Message(everything, "first"), Message(b"{}")])

        deliveries = await queue.receive(up_to=2, wait=0)

        assert bodies(deliveries) == sorted([everything, b"{}"])
        assert {delivery.receive_count for delivery in deliveries} == {1}
        assert len(set(receipts(deliveries))) == 2

    async def test_keeps_messages_for_the_next_process(self, queue: Queue, open_queue: OpenQueue) -> None:
        """Promise 1: a message outlives the process that sent it, unless the queue is durable against nothing."""
        if queue.durable_against == "nothing":
            pytest.skip("this queue says that it outlives nothing")
        await queue.send([Message(b"job")])
        await queue.close()

        assert bodies(await open_queue("requests").receive(up_to=1, wait=0)) == [b"job"]

    async def test_delivers_everything_once_while_leases_hold(self, queue: Queue) -> None:
        """Promise 2: many batches go in, and each message comes out, none twice before its timeout."""
        sent = sorted(b"%d" % number for number in range(2 * queue.max_batch + 1))
        for start in range(0, len(sent), queue.max_batch):
            await queue.send([Message(body) for body in sent[start : start + queue.max_batch]])

        received: list[Delivery] = []
        while some := await queue.receive(up_to=queue.max_batch, wait=0):
            received += some

        assert bodies(received) == sent

    async def test_receives_at_most_as_many_as_asked(self, queue: Queue) -> None:
        """`receive` gives no more than `up_to`, and leaves the rest visible."""
        await queue.send([Message(b"%d" % number) for number in range(5)])
        first = await queue.receive(up_to=2, wait=0)
        rest = await queue.receive(up_to=5, wait=0)

        assert len(first) == 2
        assert bodies([*first, *rest]) == [b"0", b"1", b"2", b"3", b"4"]

    async def test_a_deleted_message_never_comes_back(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 2: after `delete`, neither time nor a second `delete` brings anything back."""
        await queue.send([Message(b"job")])
        held = receipts(await queue.receive(up_to=1, wait=0))
        await queue.delete(held)
        await queue.delete(held)

        clock.advance(queue.visibility_timeout)

        assert await queue.receive(up_to=1, wait=0) == []

    async def test_hides_what_is_delivered(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 3: until its visibility timeout a delivered message is nobody else's."""
        await queue.send([Message(b"job")])
        await queue.receive(up_to=1, wait=0)
        clock.advance(queue.visibility_timeout / 2)

        assert await queue.receive(up_to=1, wait=0) == []

    async def test_comes_back_after_its_visibility_timeout(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 3: a message whose worker dies is delivered again, and says so."""
        await queue.send([Message(b"job")])
        [first] = await queue.receive(up_to=1, wait=0)
        clock.advance(queue.visibility_timeout)
        [again] = await queue.receive(up_to=1, wait=0)

        assert again.body == first.body
        assert again.receive_count == first.receive_count + 1
        assert again.receipt != first.receipt

    async def test_extend_prolongs_a_lease_from_now_on(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 3: a heartbeat keeps a message hidden, for as long as it says, counted from the beat."""
        timeout = queue.visibility_timeout
        await queue.send([Message(b"job")])
        held = receipts(await queue.receive(up_to=1, wait=0))
        clock.advance(timeout * 0.75)
        await queue.extend(held, seconds=timeout)
        clock.advance(timeout * 0.75)
        assert await queue.receive(up_to=1, wait=0) == []

        clock.advance(timeout * 0.25)
        assert bodies(await queue.receive(up_to=1, wait=0)) == [b"job"]

    async def test_release_gives_back_at_once(self, queue: Queue) -> None:
        """Promise 3: a released message is visible without any time passing, and counts as received."""
        await queue.send([Message(b"begun"), Message(b"not begun")])
        deliveries = {delivery.body: delivery for delivery in await queue.receive(up_to=2, wait=0)}
        await queue.release([deliveries[b"not begun"].receipt])

        [again] = await queue.receive(up_to=2, wait=0)

        assert (again.body, again.receive_count) == (b"not begun", 2)

    async def test_buries_after_so_many_deliveries(self, open_queue: OpenQueue, clock: ManualClock) -> None:
        """Promise 4: after `max_receives` deliveries a message is a dead letter, and its neighbours are not."""
        dead_letters = open_queue("dead")
        queue = open_queue("requests", max_receives=MAX_RECEIVES, dead_letter="dead")
        await queue.send([Message(b"deadly", "an-id")])
        for count in range(1, MAX_RECEIVES + 1):
            [delivery] = await queue.receive(up_to=1, wait=0)
            assert delivery.receive_count == count
            clock.advance(queue.visibility_timeout)
        await queue.send([Message(b"innocent")])

        assert bodies(await queue.receive(up_to=2, wait=0)) == [b"innocent"]
        [letter] = await dead_letters.receive(up_to=2, wait=0)
        assert letter.body == b"deadly"
        await dead_letters.delete([letter.receipt])
        await self.expect_depth(dead_letters, 0, 0)

    async def test_without_a_dead_letter_queue_messages_come_back_for_ever(
        self, open_queue: OpenQueue
    ) -> None:
        """Promise 4: where there is no dead-letter queue, no number of deliveries loses a message."""
        queue = open_queue("requests", max_receives=MAX_RECEIVES)
        await queue.send([Message(b"job")])
        for count in range(1, 3 * MAX_RECEIVES):
            [delivery] = await queue.receive(up_to=1, wait=0)
            assert delivery.receive_count == count
            await queue.release([delivery.receipt])

    async def test_depth_says_how_much_there_is(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 7: `depth` counts what is visible and what is in flight."""
        await self.expect_depth(queue, 0, 0)
        await queue.send([Message(b"%d" % number) for number in range(5)])
        held = receipts(await queue.receive(up_to=2, wait=0))
        await self.expect_depth(queue, 3, 2)

        await queue.delete(held[:1])
        await self.expect_depth(queue, 3, 1)
        clock.advance(queue.visibility_timeout)
        await self.expect_depth(queue, 4, 0)

    async def test_depth_says_the_age_of_the_oldest(self, queue: Queue, clock: ManualClock) -> None:
        """Promise 7: age counts from the sending, waiting or held, and goes with its message; or is not told."""
        assert (await queue.depth()).oldest_age == 0
        await queue.send([Message(b"old")])
        if not queue.tells_age:
            assert not self.depth_is_exact or math.isnan((await queue.depth()).oldest_age)
            return
        clock.advance(8)
        await queue.send([Message(b"young")])
        clock.advance(4)
        held = receipts(await queue.receive(up_to=1, wait=0))
        assert (await queue.depth()).oldest_age == pytest.approx(12, abs=1)

        await queue.delete([*held, *receipts(await queue.receive(up_to=1, wait=0))])
        assert (await queue.depth()).oldest_age == 0

    async def test_takes_nothing_for_nothing(self, queue: Queue) -> None:
        """A call with no messages or receipts does nothing, and does not fail."""
        await queue.send([])
        for act in (queue.delete, queue.release):
            await act([])
        await queue.extend([], seconds=1)
        assert await queue.depth() == (0, 0, 0.0)

    async def test_refuses_more_than_a_call_may_carry(self, queue: Queue) -> None:
        """More than `max_batch`, or a longer wait than `max_wait`, is a `ValueError` and changes nothing."""
        too_many = queue.max_batch + 1
        with pytest.raises(ValueError, match=str(queue.max_batch)):
            await queue.send([Message(b"job")] * too_many)
        for act in (queue.delete, queue.release):
            with pytest.raises(ValueError, match=str(queue.max_batch)):
                await act(["receipt"] * too_many)
        with pytest.raises(ValueError, match=str(queue.max_batch)):
            await queue.extend(["receipt"] * too_many, seconds=1)
        for up_to, wait in ((0, 0), (too_many, 0), (1, -1), (1, queue.max_wait + 1)):
            with pytest.raises(ValueError, match="up_to"):
                await queue.receive(up_to=up_to, wait=wait)
        await self.expect_depth(queue, 0, 0)
