"""a queue's attributes, again and again -> AWS/SQS's metrics of it, as SQS would put them into CloudWatch."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.rig.clock import RigClock
from tests.rig.metric_store import MetricStore

NAMESPACE = "AWS/SQS"
COUNTS = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}  # attribute -> metric


class QueueMetrics:
    """One queue of a stand-in. `client` is botocore's for SQS.

    The stand-in does not know how old its oldest message is: it is taken to have come when the queue was last seen
    empty, so that a queue that is never empty looks older than it is.
    """

    def __init__(self, store: MetricStore, clock: RigClock, client: Any, url: str) -> None:
        self._store = store
        self._clock = clock
        self._client = client
        self._url = url
        self._dimensions = {"QueueName": url.rpartition("/")[2]}
        self._sampled_at = clock.now()
        self._empty_at = clock.now()

    async def keep(self, *, every: float) -> None:
        """Sample each `every` rig seconds, until cancelled. A sample that fails is a gap."""
        while True:
            try:
                await self.sample()
            except (OSError, self._client.exceptions.ClientError):
                self._sampled_at = self._clock.now()
            await asyncio.sleep(self._clock.real(every))

    async def sample(self) -> None:
        """Ask the queue once; what it says held since it was last asked."""
        answer = await asyncio.to_thread(
            self._client.get_queue_attributes, QueueUrl=self._url, AttributeNames=list(COUNTS)
        )
        now = self._clock.now()
        counts = {metric: float(answer["Attributes"].get(name, 0)) for name, metric in COUNTS.items()}
        if not any(counts.values()):
            self._empty_at = now
        values = {**counts, "ApproximateAgeOfOldestMessage": now - self._empty_at}
        for name, value in values.items():
            self._store.put(NAMESPACE, name, self._dimensions, value, at=now, seconds=now - self._sampled_at)
        self._sampled_at = now
