"""A web process on AWS asks both queues for their attributes, so that CloudWatch goes on showing them."""

from __future__ import annotations

import asyncio

from tests.waiting import until

from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.testing.proxy import Plan, Proxy
from iraas.wiring.aws import AwsBackend
from iraas.wiring.overrides import NO_OVERRIDES


async def test_both_queues_are_kept_awake(sqs):
    """What a web process does beside its requests asks the request queue and the dead-letter queue at once."""
    requests, dead = sqs.create_queue("awake-requests"), sqs.create_queue("awake-dead-letters")
    with Proxy(sqs.endpoint, Plan()) as wire:
        settings = Settings(
            backend="aws",
            region=sqs.region,
            request_queue_url=requests,
            dead_letter_queue_url=dead,
            input_bucket="the-inputs",
            result_bucket="the-results",
            sqs_endpoint=wire.endpoint,
            s3_endpoint=wire.endpoint,
        )
        backend = AwsBackend(settings, overrides=NO_OVERRIDES, telemetry=Telemetry())
        keeping = asyncio.ensure_future(backend.upkeep()["awake"]())
        try:
            await asyncio.to_thread(until, lambda: len(wire.requests) >= 2, what="both are asked")
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await backend.close()
        asked = {(request.target.rpartition(".")[2], request.queue) for request in wire.requests}
    assert asked == {
        ("GetQueueAttributes", "awake-requests"),
        ("GetQueueAttributes", "awake-dead-letters"),
    }
