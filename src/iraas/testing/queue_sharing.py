"""Promise 6 of a queue: many processes share it, and who lost a message cannot touch it any more."""

from __future__ import annotations

import asyncio

import pytest

from iraas.queues.port import Message, Queue
from iraas.testing.manual_clock import ManualClock
from iraas.testing.queue_case import OpenQueue, QueueCase, bodies, receipts


class SharingContract(QueueCase):
    """Two processes at one queue, and two queues beside each other."""

    async def test_processes_share_a_queue(self, open_queue: OpenQueue) -> None:
        """Promise 6: of two processes that receive at once, none gets what the other has."""
        one, other = open_queue("requests"), open_queue("requests")
        await one.send([Message(b"%d" % number) for number in range(8)])
        received = await asyncio.gather(
            *(queue.receive(up_to=1, wait=0) for _ in range(4) for queue in (one, other))
        )
        assert bodies([delivery for deliveries in received for delivery in deliveries]) == [
            b"%d" % number for number in range(8)
        ]

    async def test_a_receipt_is_good_in_any_process(self, open_queue: OpenQueue, clock: ManualClock) -> None:
        """Promise 6: a receipt counts wherever it is shown: a heartbeat has a queue object of its own."""
        worker, heartbeat = open_queue("requests"), open_queue("requests")
        await worker.send([Message(b"job")])
        held = receipts(await worker.receive(up_to=1, wait=0))
        clock.advance(worker.visibility_timeout / 2)
        await heartbeat.extend(held, seconds=worker.visibility_timeout)
        clock.advance(worker.visibility_timeout / 2)
        assert await worker.receive(up_to=1, wait=0) == []

        await heartbeat.delete(held)
        await self.expect_depth(worker, 0, 0)

    @pytest.mark.parametrize("end", ["timeout", "release"])
    @pytest.mark.parametrize("act", ["delete", "extend", "release"])
    async def test_a_stale_receipt_changes_nothing(
        self, queue: Queue, clock: ManualClock, end: str, act: str
    ) -> None:
        """Promise 6: who lost a message to another, by its timeout or by release, cannot touch it any more."""
        if not queue.fences:
            pytest.skip("this queue says that it does not fence")
        await queue.send([Message(b"job")])
        stale = receipts(await queue.receive(up_to=1, wait=0))
        if end == "release":
            await queue.release(stale)
        clock.advance(queue.visibility_timeout)
        [held] = await queue.receive(up_to=1, wait=0)

        match act:
            case "delete":
                await queue.delete(stale)
            case "extend":
                await queue.extend(stale, seconds=10 * queue.visibility_timeout)
            case "release":
                await queue.release(stale)

        await self.expect_depth(queue, 0, 1)
        clock.advance(queue.visibility_timeout)
        [again] = await queue.receive(up_to=1, wait=0)
        assert again.receive_count == held.receive_count + 1

    async def test_a_released_receipt_is_stale(self, queue: Queue) -> None:
        """Promise 6: who gave a message back has no hold on it, even before somebody else has it."""
        if not queue.fences:
            pytest.skip("this queue says that it does not fence")
        await queue.send([Message(b"job")])
        held = receipts(await queue.receive(up_to=1, wait=0))
        await queue.release(held)
        await queue.extend(held, seconds=60)
        await queue.delete(held)

        await self.expect_depth(queue, 1, 0)

    async def test_passes_over_what_is_no_receipt(self, queue: Queue) -> None:
        """Promise 6: receipts that never were hinder nothing, and the good ones among them count."""
        await queue.send([Message(b"job")])
        held = receipts(await queue.receive(up_to=1, wait=0))
        nonsense = ["", "1", ":", "1:0", "1:", "nonsense", "99:99"]
        await queue.extend([*nonsense, *held], seconds=60)
        await queue.release(nonsense)
        await self.expect_depth(queue, 0, 1)

        await queue.delete([*nonsense, *held])
        await self.expect_depth(queue, 0, 0)

    async def test_queues_do_not_mix(self, open_queue: OpenQueue) -> None:
        """A message is in the queue that it was sent to, and its receipt counts only there."""
        requests, others = open_queue("requests"), open_queue("others")
        await requests.send([Message(b"job", "an-id")])
        await others.send([Message(b"other", "an-id")])
        held = receipts(await others.receive(up_to=2, wait=0))
        await requests.delete(held)

        await self.expect_depth(others, 0, 1)
        assert bodies(await requests.receive(up_to=2, wait=0)) == [b"job"]
