"""The response queues' tags: this process says that it lives, and removes the queues of those that do not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from iraas.clock import Clock
from iraas.errors import IraasError, QueueVanished
from iraas.queues.sqs_connection import SqsConnection, time_of
from iraas.queues.sqs_names import ResponseNames
from iraas.queues.sqs_sweep import BEAT_SECONDS, Sweep
from iraas.telemetry import Log

ALIVE_TAG = "iraas:alive"  # seconds since 1970-01-01T00:00Z, by SQS's clock
AGAIN_SECONDS = 30.0  # after a heartbeat that failed
PAGE = 1_000  # queues; a ListQueues that does not say how many it wants gives no next page

_jitter = random.Random()  # noqa: S311 - so that processes started together do not beat together


class Upkeep:
    """Heartbeats of one process, and its sweeping."""

    def __init__(self, connection: SqsConnection, names: ResponseNames, clock: Clock) -> None:
        self._connection = connection
        self._names = names
        self._sweep = Sweep(clock)

    async def keep(self, own: Callable[[], str]) -> None:
        """Beat and sweep until cancelled. `own` is the name of this process's queue, empty while it has none."""
        while True:
            pause = BEAT_SECONDS
            try:
                await self.beat(own())
            except IraasError as error:
                pause = AGAIN_SECONDS
                _complain(error)
            try:
                await self.sweep(own())
            except IraasError as error:
                _complain(error)
            await asyncio.sleep(pause * _jitter.uniform(0.9, 1.0))

    async def beat(self, own: str) -> None:
        """Say once that the owner of this queue lives."""
        if own:
            url = self._names.url(own)
            with suppress(QueueVanished):  # who receives from it hears that, too, and makes another
                answer = await self._connection.call(
                    "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"]
                )
                await self.say_alive(own, time_of(answer))

    async def say_alive(self, own: str, now: float) -> None:
        """Write the heartbeat; `now` is SQS's time."""
        tags = {ALIVE_TAG: str(int(now))}
        await self._connection.call("TagQueue", QueueUrl=self._names.url(own), Tags=tags)

    async def sweep(self, own: str) -> None:
        """Look once at all heartbeats but our own, and remove the queues whose owners are gone."""
        names, now = await self._list()
        heartbeats: dict[str, str | None] = {}
        for name in names:
            if self._names.is_one(name) and name != own:
                with suppress(QueueVanished):
                    tags = await self._connection.call("ListQueueTags", QueueUrl=self._names.url(name))
                    heartbeats[name] = tags.get("Tags", {}).get(ALIVE_TAG)
        for name in self._sweep.look(heartbeats, now=now):
            await self.remove(name)

    async def remove(self, name: str) -> None:
        """Remove a queue, if it is there."""
        with suppress(QueueVanished):
            await self._connection.call("DeleteQueue", QueueUrl=self._names.url(name))

    async def _list(self) -> tuple[list[str], float]:
        """The names of all queues that begin like ours, and SQS's time."""
        names: list[str] = []
        page: dict[str, object] = {"QueueNamePrefix": self._names.prefix, "MaxResults": PAGE}
        while True:
            answer = await self._connection.call("ListQueues", **page)
            names += (url.rpartition("/")[2] for url in answer.get("QueueUrls", ()))
            if not answer.get("NextToken"):
                return names, time_of(answer)
            page["NextToken"] = answer["NextToken"]


def _complain(error: IraasError) -> None:
    Log()("background.failed", level="warning", task="response queues", error=str(error))
