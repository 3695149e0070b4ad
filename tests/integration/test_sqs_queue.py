"""A queue of SQS on fauxqs: which requests it makes, and what a poll that nobody wants any more does."""

import asyncio
import math
import secrets
import time
from collections import Counter

import pytest
from tests.conftest import missing
from tests.doubles.fauxqs import Fauxqs, node

from iraas.queues.port import Message
from iraas.queues.sqs import SqsConnection, SqsQueue


@pytest.fixture(scope="module")
def fauxqs():
    """The server."""
    if node() is None:
        missing("fauxqs")
    with Fauxqs() as server:
        yield server


class Process:
    """A connection, its requests, and the queue that it opens."""

    def __init__(self, fauxqs, url):
        self.requests = Counter()
        self.connection = SqsConnection(
            fauxqs.session(), region=fauxqs.region, endpoint=fauxqs.endpoint, on_request=self._count
        )
        self.url = url

    def _count(self, operation):
        self.requests[operation] += 1

    def polls(self):
        """The seconds of each poll, from now on."""
        asked, poll = [], self.connection.poll

        def noted(parameters):
            asked.append(parameters["WaitTimeSeconds"])
            return poll(parameters)

        self.connection.poll = noted
        return asked

    def queue(self, **options):
        """The queue, with leases that no test outlives."""
        return SqsQueue(self.connection, self.url, **{"visibility_timeout": 60, **options})


@pytest.fixture
def process(fauxqs):
    """One, with a queue of its own."""
    process = Process(fauxqs, fauxqs.create_queue(f"requests-{secrets.token_hex(4)}"))
    yield process
    process.connection.close()


async def everything(queue):
    """All that is visible."""
    received = []
    while some := await queue.receive(up_to=10, wait=0):
        received += some
    return received


async def test_senders_share_requests(process):
    """Messages of many callers go in requests of ten."""
    queue = process.queue()
    await asyncio.gather(*(queue.send([Message(b"%d" % number)]) for number in range(25)))

    assert process.requests == {"SendMessageBatch": 3}
    received = await everything(queue)
    assert {int(delivery.body) for delivery in received} == set(range(25))


async def test_a_request_is_not_larger_than_a_mebibyte(process):
    """SQS counts all messages of a request together."""
    queue = process.queue()
    bodies = [bytes([letter]) * 400_000 for letter in b"abcde"]
    await asyncio.gather(*(queue.send([Message(body)]) for body in bodies))

    assert process.requests == {"SendMessageBatch": 3}
    assert sorted(delivery.body for delivery in await everything(queue)) == bodies


async def test_a_message_that_is_too_large_is_refused_before_anything_is_sent(process):
    """All or none: its neighbours in the call stay here as well."""
    with pytest.raises(ValueError, match="SQS takes 1,048,576"):
        await process.queue().send([Message(b"small"), Message(b"x" * 1_048_577)])
    assert process.requests == {}


async def test_deletes_share_requests(process):
    """Deletions of many callers go in requests of ten."""
    queue = process.queue()
    await asyncio.gather(*(queue.send([Message(b"job")]) for _ in range(20)))
    received = await everything(queue)
    process.requests.clear()
    await asyncio.gather(*(queue.delete([delivery.receipt]) for delivery in received))

    assert process.requests == {"DeleteMessageBatch": 2}
    assert (await queue.depth())[:2] == (0, 0)


async def test_a_message_of_others_arrives_as_it_is(process):
    """What somebody else wrote into the queue reaches the worker, which calls it malformed."""
    queue = process.queue()
    for body in ("not ours", "base64:nor this"):
        await process.connection.call("SendMessage", QueueUrl=process.url, MessageBody=body)
    received = await everything(queue)
    assert sorted(delivery.body for delivery in received) == [b"base64:nor this", b"not ours"]


async def test_the_age_of_the_oldest_is_not_known(process):
    """SQS does not tell it by this way, and an empty queue has none."""
    queue = process.queue()
    assert await queue.depth() == (0, 0, 0.0)
    await queue.send([Message(b"job")])
    assert math.isnan((await queue.depth()).oldest_age)


async def test_a_long_wait_is_made_of_polls_as_long_as_allowed(process):
    """`wait_seconds` bounds a poll, not the wait."""
    queue, polls = process.queue(wait_seconds=1), process.polls()
    begun = time.monotonic()
    assert await queue.receive(up_to=1, wait=2) == []
    assert time.monotonic() - begun > 1.4  # more than one of them; a late answer may spare the second
    assert polls in ([1], [1, 1])


async def test_a_wait_of_less_than_a_second_is_one(process):
    """SQS waits whole seconds; rounding down would make it a short poll."""
    queue, polls = process.queue(), process.polls()
    await queue.send([Message(b"job")])
    assert [delivery.body for delivery in await queue.receive(up_to=1, wait=0.2)] == [b"job"]
    assert polls == [1]


async def test_a_poll_that_is_woken_for_nothing_polls_again(process):
    """An answer without a message before its time is not the end of the wait."""
    queue = process.queue()
    receiving = [asyncio.create_task(queue.receive(up_to=1, wait=20)) for _ in range(2)]
    await asyncio.sleep(0)  # they have begun
    await queue.send([Message(b"one")])  # wakes both
    done, waiting = await asyncio.wait(receiving, return_when=asyncio.FIRST_COMPLETED)
    await queue.send([Message(b"two")])
    received = [await task for task in (*done, *waiting)]
    assert [[delivery.body for delivery in deliveries] for deliveries in received] == [[b"one"], [b"two"]]


async def test_what_an_abandoned_poll_brings_is_given_back(process):
    """A message that comes for a receiver that was cancelled is visible at once, not after its timeout."""
    queue, other = process.queue(), process.queue()
    receiving = asyncio.create_task(queue.receive(up_to=10, wait=20))
    await asyncio.sleep(0)  # it has begun
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    await other.send([Message(b"job")])
    await queue.close()  # waits for the poll, and for the giving back

    [delivery] = await other.receive(up_to=10, wait=0)
    assert (delivery.body, delivery.receive_count) == (b"job", 2)


async def test_what_is_not_to_be_given_back_takes_no_call(process):
    """Where nobody else receives, what a cancelled receiver would have had stays hidden until its timeout."""
    queue = process.queue(gives_back=False)
    receiving = asyncio.create_task(queue.receive(up_to=1, wait=20))
    await asyncio.sleep(0)  # it has begun
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    await queue.send([Message(b"job")])
    await queue.close()

    assert process.requests["ChangeMessageVisibilityBatch"] == 0
    assert (await queue.depth())[:2] == (0, 1)


async def test_a_receiver_cancelled_in_the_last_moment_loses_nothing(process):
    """When the answer is here already and its receiver is cancelled before it looks, the message goes back."""
    queue = process.queue()
    await queue.send([Message(b"job")])
    receiving = asyncio.create_task(queue.receive(up_to=10, wait=20))
    await asyncio.sleep(0)  # it has begun
    [poll] = queue._outstanding
    poll.add_done_callback(lambda _: receiving.cancel())
    await asyncio.gather(receiving, return_exceptions=True)
    assert receiving.cancelled()
    await queue.close()

    assert len(await process.queue().receive(up_to=10, wait=0)) == 1


async def test_close_delivers_what_lingers(process):
    """A sender that is cancelled has sent, when the queue is closed."""
    queue = process.queue()
    sending = asyncio.create_task(queue.send([Message(b"job")]))
    await asyncio.sleep(0)  # it has begun
    sending.cancel()
    await queue.close()
    assert len(await process.queue().receive(up_to=10, wait=0)) == 1


async def test_polls_do_not_hold_up_senders(process):
    """With every thread for polls taken, a message is sent and received at once."""
    queue = process.queue()
    receiving = [asyncio.create_task(queue.receive(up_to=1, wait=20)) for _ in range(30)]
    await asyncio.sleep(0)  # they have begun
    async with asyncio.timeout(10):
        await asyncio.gather(*(queue.send([Message(b"job")]) for _ in range(30)))
        await asyncio.gather(*receiving)


def test_a_queue_object_for_each_event_loop(process):
    """A heartbeat's thread has a queue of its own on the same connection."""
    sender, heartbeat = process.queue(), process.queue()

    async def hold():
        await sender.send([Message(b"job")])
        return [delivery.receipt for delivery in await sender.receive(up_to=1, wait=1)]

    async def give_back(receipts):
        await heartbeat.extend(receipts, seconds=30)
        await heartbeat.release(receipts)
        await heartbeat.close()

    receipts = asyncio.run(hold())
    asyncio.run(give_back(receipts))
    assert len(asyncio.run(process.queue().receive(up_to=1, wait=0))) == 1
