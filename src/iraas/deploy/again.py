"""what a stack removed a moment ago -> how long its names are still taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from iraas.deploy.events import Event

QUEUE_SECONDS = 60.0  # until a queue's name is free again ("DeleteQueue", SQS API reference)


def seconds_until_free(events: Iterable[Event], now: datetime) -> float:
    """Until a stack of the same name can make its queues again."""
    removed = [
        event.time
        for event in events
        if event.kind == "AWS::SQS::Queue" and event.status == "DELETE_COMPLETE"
    ]
    if not removed:
        return 0.0
    return max(0.0, QUEUE_SECONDS - (now - max(removed)).total_seconds())
