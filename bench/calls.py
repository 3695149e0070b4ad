"""`python -m bench.calls`: core-ms of single calls to the stand-ins for S3 and SQS, of this client alone."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable, Callable

import uvloop
from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs

from iraas.blobs.s3 import S3Blobs
from iraas.queues.sqs import SqsConnection

CALLS = 300
AT_ONCE = 8
PICTURE_BYTES, ANSWER_BYTES = 300_000, 8_000
ENTRIES = [{"Id": str(number), "MessageBody": "x" * 160} for number in range(10)]


async def cost(name: str, call: Callable[[int], Awaitable[object]]) -> None:
    """Print the CPU of one call, `AT_ONCE` of them under way."""
    numbers = itertools.count()
    await call(next(numbers))
    before = time.process_time()

    async def some() -> None:
        for _ in range(CALLS // AT_ONCE):
            await call(next(numbers))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    taken = (time.process_time() - before) * 1000 / (CALLS // AT_ONCE * AT_ONCE)
    print(f"{name:42} {taken:5.2f} core-ms", flush=True)


async def measure(sqs: Fauxqs, s3: Seaweedfs) -> None:
    """Each call of a picture's way, and botocore's own transport beside ours."""
    store = S3Blobs("calls", session=s3.session(), region=s3.region, endpoint=s3.endpoint, max_bytes=10**7)
    connection = SqsConnection(sqs.session(), region=sqs.region, endpoint=sqs.endpoint)
    url = sqs.create_queue("calls")
    picture = os.urandom(PICTURE_BYTES)
    await cost("S3 put of 300 KB", lambda n: store.put(f"picture-{n}", picture, if_absent=True))
    await cost("S3 get of 300 KB", lambda n: store.get(f"picture-{n % 200}"))
    await cost("S3 put of 8 KB", lambda n: store.put(f"answer-{n}", picture[:ANSWER_BYTES], if_absent=True))
    await cost(
        "SQS SendMessageBatch of ten",
        lambda _: connection.call("SendMessageBatch", QueueUrl=url, Entries=ENTRIES),
    )
    await store.close()
    connection.close()
    client = sqs.session().create_client("sqs", region_name=sqs.region, endpoint_url=sqs.endpoint)
    before = time.process_time()
    for _ in range(CALLS):
        client.send_message_batch(QueueUrl=url, Entries=ENTRIES)
    print(
        f"{'the same by botocore as it comes':42} {(time.process_time() - before) * 1000 / CALLS:5.2f} core-ms"
    )
    client.close()


if __name__ == "__main__":
    with Fauxqs() as sqs, Seaweedfs() as s3:
        s3.create_bucket("calls")
        uvloop.run(measure(sqs, s3))
