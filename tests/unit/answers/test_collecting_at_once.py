"""Many processes collect dead letters at once, and die between any two steps."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tests.unit.answers.test_dead_letters import dead_job
from tests.unit.conftest import Parts

from iraas.answers.dead_letters import DeadLetters
from iraas.errors import BackendUnavailable
from iraas.messages import Reply, decode
from iraas.queues.port import Message
from iraas.testing.around import AroundBlobs, AroundQueue, AroundResponses


class Dies:
    """The n-th call is the last: its process dies before it, or after its effect."""

    def __init__(self, calls: int, when: str) -> None:
        self._left = calls
        self._when = when
        self.died = False

    async def around(self, step, call):
        self._left -= 1
        self.died = self.died or self._left <= 0
        if self.died and not (self._left == 0 and self._when == "after"):
            raise BackendUnavailable(f"died before {step}")
        result = await call()
        if self.died:
            raise BackendUnavailable(f"died after {step}")
        return result


class TakesTurns:
    """Before each call the other processes have their turn."""

    async def around(self, step, call):
        await asyncio.sleep(0)
        return await call()


def process(parts: Parts, around) -> DeadLetters:
    """A web process's dead letters, with something around all its calls."""
    return DeadLetters(
        queue=AroundQueue(parts.dead, "dead", around),
        requests=AroundQueue(parts.requests, "requests", around),
        responses=AroundResponses(parts.responses, around),
        inputs=AroundBlobs(parts.inputs, "inputs", around),
        results=AroundBlobs(parts.results, "results", around),
        clock=parts.clock,
    )


async def fill(parts: Parts) -> set[str]:
    """Dead jobs, and messages that are none, each delivered twice: the names that they must be recorded under."""
    jobs = {await dead_job(parts) for _ in range(3)}
    bodies = [entry.message.body for entry in parts.dead._entries]
    await parts.dead.send([Message(body) for body in [*bodies, b"junk", b"junk", b"other junk"]])
    return jobs


async def check(parts: Parts, jobs: set[str]) -> None:
    """Each job has its answer and its record, each message that was none its record, and the queue is empty."""
    assert {info.key async for info in parts.results.list()} == jobs
    recorded = {info.key.removeprefix("dead-letters/") async for info in parts.results.list("dead-letters/")}
    assert jobs < recorded
    assert [name.startswith("malformed-") for name in recorded - jobs] == [True, True]
    assert sum((await parts.dead.depth())[:2]) == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_between_any_two_steps_loses_nothing(parts, when):
    """Whoever looks next finds the message again, and finishes what was begun."""
    for calls in range(1, 200):
        parts = Parts()
        jobs = await fill(parts)
        dies = Dies(calls, when)
        try:
            await process(parts, dies.around).collect()
        except BackendUnavailable:
            parts.clock.advance(parts.dead.visibility_timeout)
        await process(parts, TakesTurns().around).collect()
        await check(parts, jobs)
        if not dies.died:
            break
    else:
        raise AssertionError("it never got to its end")
    assert calls > 30, "each of the steps was a place to die"


async def test_many_processes_collect_side_by_side(parts):
    """Every message is answered and recorded, whoever was first."""
    jobs = await fill(parts)

    await asyncio.gather(*(process(parts, TakesTurns().around).collect() for _ in range(8)))

    await check(parts, jobs)


async def test_every_client_hears_of_its_own_picture(parts):
    """A job that came twice is replied to twice, always with the one answer."""
    jobs = await fill(parts)

    await asyncio.gather(*(process(parts, TakesTurns().around).collect() for _ in range(4)))

    replies: Counter[str] = Counter()
    for queue in parts.responses._queues.values():
        deliveries = await queue.receive(up_to=10, wait=0)
        heard = {decode(Reply, delivery.body).record.outcome.id for delivery in deliveries}
        assert len(heard) == 1
        replies.update(heard)
    assert replies.keys() == jobs
