"""every four minutes: queues -> their depths, which nobody wants. Then their metrics go on.

CloudWatch's metrics of a queue stop six hours after anybody last did something with it, and come back up to 15 minutes
late (Amazon SQS Developer Guide, "Monitoring Amazon SQS queues using CloudWatch"); alarms would wait that long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from iraas.errors import IraasError
from iraas.queues.port import Queue
from iraas.telemetry import Log

AWAKE_SECONDS = 240.0  # far below the six hours of AWS's page, and the quarter of an hour that users report


async def keep_awake(
    queues: Sequence[Queue], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Ask each queue for its depth, again and again, until cancelled."""
    while True:
        for queue in queues:
            try:
                await queue.depth()
            except IraasError as error:
                Log()("background.failed", level="warning", task="awake", error=str(error))
        await sleep(AWAKE_SECONDS)
