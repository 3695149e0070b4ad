"""Random sends, receives, leases, crashes -> does a queue do what a few lines of Python would?

A Hypothesis state machine: whoever inherits gives `open`; its `TestCase` is what pytest runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from iraas.queues.port import Message, Queue
from iraas.testing.manual_clock import ManualClock

VISIBILITY_TIMEOUT = 30.0  # seconds
MAX_RECEIVES = 3

_T = TypeVar("_T")


@dataclass(eq=False)
class Expected:
    """What the model knows of a message that lives."""

    body: bytes
    id: str
    visible_at: float  # boot time, seconds
    receives: int = 0
    receipt: str = ""  # the one that is good


class QueueMachine(RuleBasedStateMachine):
    """A queue with its dead letters, beside a list. Every receipt ever given is kept, to be used again."""

    survives_reboot = True

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._clock = ManualClock()
        self._living: list[Expected] = []
        self._receipts: list[str] = []
        self._bodies = 0
        self._queue, self._dead_letters = self.open(self._clock)

    def open(self, clock: ManualClock) -> tuple[Queue, Queue]:
        """The queue and its dead-letter queue, as the next process would find them."""
        raise NotImplementedError

    def crash(self) -> None:
        """End the process that holds them."""
        raise NotImplementedError

    @rule(ids=st.lists(st.sampled_from(("", "a", "b", "c")), min_size=1, max_size=5))
    def send(self, ids: list[str]) -> None:
        """What is sent lives, unless its id does already."""
        messages = []
        for id_ in ids:
            self._bodies += 1
            messages.append(Message(b"%d" % self._bodies, id_))
            if not id_ or all(message.id != id_ for message in self._living):
                self._living.append(Expected(messages[-1].body, id_, self._clock.boot()))
        self._wait(self._queue.send(messages))

    @rule(up_to=st.integers(1, 4))
    def receive(self, up_to: int) -> None:
        """As many come as are visible and not worn out, each with its count and a receipt of its own."""
        fit = [message for message in self._visible() if message.receives < MAX_RECEIVES]
        deliveries = self._wait(self._queue.receive(up_to=up_to, wait=0))

        assert len(deliveries) == min(up_to, len(fit))
        for delivery in deliveries:
            [message] = [message for message in fit if message.body == delivery.body]
            message.receives += 1
            message.receipt = delivery.receipt
            message.visible_at = self._clock.boot() + VISIBILITY_TIMEOUT
            assert delivery.receive_count == message.receives
            assert delivery.receipt not in self._receipts
            self._receipts.append(delivery.receipt)
        self._collect_dead_letters()
        if len(deliveries) < up_to:  # it has seen all that is visible
            assert self._visible() == []

    def _collect_dead_letters(self) -> None:
        """Whoever was buried was worn out and visible; the model buries him, too."""
        letters = self._wait(self._dead_letters.receive(up_to=100, wait=0))
        self._wait(self._dead_letters.delete([letter.receipt for letter in letters]))
        worn_out = {message.body: message for message in self._visible() if message.receives == MAX_RECEIVES}
        for letter in letters:
            self._living.remove(worn_out[letter.body])

    @precondition(lambda self: self._receipts)
    @rule(data=st.data(), seconds=st.sampled_from((0.0, 10.0, 100.0)))
    def extend(self, data: st.DataObject, seconds: float) -> None:
        """A good receipt moves the end of its lease; a stale one nothing."""
        receipts = self._draw(data)
        self._wait(self._queue.extend(receipts, seconds=seconds))
        for message in self._held_by(receipts):
            message.visible_at = self._clock.boot() + seconds

    @precondition(lambda self: self._receipts)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A good receipt ends its lease, and itself; a stale one nothing."""
        receipts = self._draw(data)
        self._wait(self._queue.release(receipts))
        for message in self._held_by(receipts):
            message.visible_at, message.receipt = self._clock.boot(), ""

    @precondition(lambda self: self._receipts)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A good receipt ends its message; a stale one nothing."""
        receipts = self._draw(data)
        self._wait(self._queue.delete(receipts))
        for message in self._held_by(receipts):
            self._living.remove(message)

    @rule(seconds=st.sampled_from((0.5, 10.0, VISIBILITY_TIMEOUT)))
    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._clock.advance(seconds)

    @rule(seconds=st.sampled_from((-3600.0, 3600.0)))
    def jump(self, seconds: float) -> None:
        """The wall clock jumps, and nobody minds."""
        self._clock.jump_wall(seconds)

    @rule()
    def crash_and_open_again(self) -> None:
        """The next process finds messages and leases as they were."""
        self.crash()
        self._queue, self._dead_letters = self.open(self._clock)

    @precondition(lambda self: self.survives_reboot)
    @rule()
    def reboot(self) -> None:
        """After a restart of the machine all messages are there, and all leases over."""
        self.crash()
        self._clock.reboot()
        self._queue, self._dead_letters = self.open(self._clock)
        for message in self._living:
            message.visible_at, message.receipt = self._clock.boot(), ""

    @invariant()
    def counts_agree(self) -> None:
        """Depth says what the model says."""
        visible = len(self._visible())
        depth = self._wait(self._queue.depth())
        assert (depth.visible, depth.in_flight) == (visible, len(self._living) - visible)

    def teardown(self) -> None:
        """End the process."""
        self.crash()
        self._loop.close()

    def _visible(self) -> list[Expected]:
        return [message for message in self._living if message.visible_at <= self._clock.boot()]

    def _held_by(self, receipts: list[str]) -> list[Expected]:
        return [message for message in self._living if message.receipt and message.receipt in receipts]

    def _draw(self, data: st.DataObject) -> list[str]:
        return data.draw(st.lists(st.sampled_from(self._receipts), min_size=1, max_size=3, unique=True))

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._loop.run_until_complete(work)
