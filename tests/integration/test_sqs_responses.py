"""Response queues of SQS on fauxqs: how they are made, swept, missed, and made again."""

import asyncio
import re
import secrets
from collections import Counter

import pytest
from tests.conftest import missing
from tests.doubles.fauxqs import Fauxqs, node
from tests.integration.scripted_server import serving
from tests.integration.sqs_script import answer, asked, batch, connected, refuse

from iraas.errors import ConfigurationError, QueueVanished
from iraas.queues import sqs_upkeep
from iraas.queues.port import Message
from iraas.queues.sqs import SqsConnection, SqsResponseQueues
from iraas.queues.sqs_connection import time_of
from iraas.queues.sqs_responses import ATTRIBUTES
from iraas.queues.sqs_sweep import BEAT_SECONDS, GAP_SECONDS, WATCH_SECONDS
from iraas.testing.manual_clock import ManualClock

HOUR = 3600.0
BASE = "http://127.0.0.1/123456789012"
NAME = "shop-responses-" + "a" * 12


@pytest.fixture(scope="module")
def fauxqs():
    """The server."""
    if node() is None:
        missing("fauxqs")
    with Fauxqs() as server:
        yield server


class Stack:
    """A deployment with a request queue, and processes of it."""

    def __init__(self, fauxqs):
        self.name = f"stack-{secrets.token_hex(4)}"
        self.clock = ManualClock()
        self.requests = Counter()
        self.url = fauxqs.create_queue(f"{self.name}-requests")
        self.connection = SqsConnection(
            fauxqs.session(), region=fauxqs.region, endpoint=fauxqs.endpoint, on_request=self._count
        )

    def _count(self, operation):
        self.requests[operation] += 1

    def process(self):
        """A process's view."""
        return SqsResponseQueues(
            self.connection, requests_url=self.url, stack=self.name, clock=self.clock, settle_seconds=0
        )

    def url_of(self, name):
        """Beside the request queue."""
        return f"{self.url.rpartition('/')[0]}/{name}"

    async def make(self, *, suffix="abcdefghijkl", tags=None):
        """A queue as another process would have left it; its name."""
        name = f"{self.name}-responses-{suffix}"
        await self.connection.call("CreateQueue", QueueName=name, tags=tags or {})
        return name

    async def names(self):
        """The response queues there are."""
        answer = await self.connection.call("ListQueues", QueueNamePrefix=f"{self.name}-responses-")
        return {url.rpartition("/")[2] for url in answer["QueueUrls"]}

    async def tags(self, name):
        """A queue's tags."""
        return (await self.connection.call("ListQueueTags", QueueUrl=self.url_of(name)))["Tags"]

    async def sweep_for(self, queues, seconds):
        """Look every five minutes."""
        await queues._upkeep.sweep(queues._own)
        for _ in range(int(seconds / BEAT_SECONDS)):
            self.clock.advance(BEAT_SECONDS)
            await queues._upkeep.sweep(queues._own)


@pytest.fixture
def stack(fauxqs):
    """One with a random name."""
    stack = Stack(fauxqs)
    yield stack
    stack.connection.close()


async def test_a_queue_is_made_as_the_design_says(stack):
    """Named after the stack, encrypted, with a short retention, and tagged as alive."""
    web = stack.process()
    name, queue = await web.open()
    attributes = await stack.connection.call("GetQueueAttributes", QueueUrl=queue.url, AttributeNames=["All"])
    tags = await stack.tags(name)
    await web.close()

    assert re.fullmatch(rf"{stack.name}-responses-[a-z0-9]{{12}}", name)
    assert attributes["Attributes"].items() >= ATTRIBUTES.items()
    assert tags["iraas:stack"] == stack.name
    assert (
        abs(int(tags["iraas:alive"]) - stack.clock.time()) > HOUR
    )  # SQS's time, and not the clock's of ours
    assert await stack.names() == set()


async def test_a_long_name_of_a_stack_is_cut(stack):
    """A queue's name has 80 characters at most."""
    stack.name += "x" * 60
    web = stack.process()
    name, _ = await web.open()
    await web.close()
    assert len(name) == 40 + len("-responses-") + 12


async def test_replies_share_requests(stack):
    """Replies to one process that come together go in requests of ten."""
    web, worker = stack.process(), stack.process()
    name, queue = await web.open()
    stack.requests.clear()
    await asyncio.gather(*(worker.send(name, [Message(b"%d" % number)]) for number in range(20)))
    assert stack.requests == {"SendMessageBatch": 2}

    received = []
    while some := await queue.receive(up_to=10, wait=0):
        received += some
    assert {int(delivery.body) for delivery in received} == set(range(20))
    await web.close()


async def test_who_is_gone_is_not_asked_for_again_and_again(stack):
    """The first reply to a queue that is gone costs a request, those of the next minute none."""
    worker = stack.process()
    name = f"{stack.name}-responses-{'0' * 12}"
    for _ in range(3):
        await worker.send(name, [Message(b"to nobody")])
    assert stack.requests == {"SendMessageBatch": 1}

    stack.clock.advance(60)
    await worker.send(name, [Message(b"to nobody")])
    assert stack.requests == {"SendMessageBatch": 2}


async def test_a_queue_that_vanished_is_made_again(stack):
    """Its owner hears of it, opens another, and removes that one in the end."""
    web = stack.process()
    old, queue = await web.open()
    await stack.connection.call("DeleteQueue", QueueUrl=queue.url)
    with pytest.raises(QueueVanished):
        await queue.receive(up_to=1, wait=0)
    await web._upkeep.beat(web._own)  # does not mind

    new, _ = await web.open()
    assert await stack.names() == {new} != {old}
    await web.close()
    assert await stack.names() == set()


async def test_a_queue_that_vanishes_under_a_poll_is_heard_of(stack):
    """Who waits need not wait to the end."""
    web = stack.process()
    _, queue = await web.open()
    receiving = asyncio.create_task(queue.receive(up_to=1, wait=20))
    await asyncio.sleep(0)  # it has begun
    await stack.connection.call("DeleteQueue", QueueUrl=queue.url)
    async with asyncio.timeout(10):
        with pytest.raises(QueueVanished):
            await receiving
    await web.close()


async def test_the_silent_are_swept(stack):
    """The queue of an owner that died two hours ago goes, when it was watched for a quarter of an hour."""
    sweeper = stack.process()
    dead = await stack.make(tags={"iraas:alive": await two_hours_ago(stack)})
    await stack.sweep_for(sweeper, WATCH_SECONDS - BEAT_SECONDS)
    assert await stack.names() == {dead}

    await stack.sweep_for(sweeper, BEAT_SECONDS)
    assert await stack.names() == set()


async def test_the_living_are_not_swept(stack):
    """An owner that beats stays, however old its heartbeat was; so does the sweeper's own queue."""
    sweeper, owner = stack.process(), stack.process()
    own, _ = await sweeper.open()
    living, _ = await owner.open()
    for name in (own, living):
        await stack.connection.call(
            "TagQueue", QueueUrl=stack.url_of(name), Tags={"iraas:alive": await two_hours_ago(stack)}
        )
    await stack.sweep_for(sweeper, GAP_SECONDS)
    await owner._upkeep.beat(owner._own)
    await stack.sweep_for(sweeper, WATCH_SECONDS)

    assert await stack.names() == {own, living}
    await sweeper.close()
    await owner.close()


async def test_only_queues_of_our_form_are_swept(stack):
    """A queue that only begins like ours belongs to somebody else."""
    sweeper = stack.process()
    other = await stack.make(suffix="of-somebody-else", tags={"iraas:alive": "0"})
    await stack.sweep_for(sweeper, 2 * HOUR)
    assert await stack.names() == {other}


async def test_every_page_of_queues_is_read(stack, monkeypatch):
    """SQS lists a thousand at a time."""
    monkeypatch.setattr(sqs_upkeep, "PAGE", 2)
    long_ago = await two_hours_ago(stack)
    for number in range(5):
        await stack.make(suffix=f"{number}" * 12, tags={"iraas:alive": long_ago})
    await stack.sweep_for(stack.process(), WATCH_SECONDS)
    assert await stack.names() == set()


async def test_keep_beats_and_sweeps_until_it_is_cancelled(stack, monkeypatch):
    """The heartbeat is written anew, and the dead are found, as time goes by."""
    web = stack.process()
    name, _ = await web.open()
    dead = await stack.make(tags={"iraas:alive": await two_hours_ago(stack)})
    await stack.connection.call("TagQueue", QueueUrl=stack.url_of(name), Tags={"iraas:alive": "0"})
    pauses = []

    async def pass_time(seconds):
        pauses.append(seconds)
        stack.clock.advance(BEAT_SECONDS)
        if len(pauses) == 5:
            await asyncio.Event().wait()

    monkeypatch.setattr(sqs_upkeep.asyncio, "sleep", pass_time)
    keeping = asyncio.create_task(web.keep())
    while len(pauses) < 5:
        await asyncio.wait([keeping], timeout=0.01)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)

    assert keeping.cancelled()
    assert int((await stack.tags(name))["iraas:alive"]) > 0
    assert await stack.names() == {name} != {dead}
    assert all(0.9 * BEAT_SECONDS <= pause <= BEAT_SECONDS for pause in pauses)
    await web.close()


async def two_hours_ago(stack):
    """By SQS's clock."""
    answer = await stack.connection.call("ListQueues")
    return str(int(time_of(answer) - 2 * HOUR))


# With a server that does what it is told.


def queues_at(connection):
    """A process's view of the stack `shop`."""
    return SqsResponseQueues(
        connection, requests_url=f"{BASE}/requests", stack="shop", clock=ManualClock(), settle_seconds=0
    )


async def test_a_request_queue_of_another_account_is_noticed():
    """Workers look for response queues beside the request queue: where they are not, the start says so."""
    made = answer({"QueueUrl": "http://127.0.0.1/999999999999/x"})
    with (
        serving(made) as server,
        connected(server.url) as connection,
        pytest.raises(ConfigurationError, match="credentials of the request queue's account"),
    ):
        await queues_at(connection).open()


async def test_a_queue_that_may_not_be_made_is_a_matter_of_the_policy():
    """The start says which permissions are lacking, and on what."""
    with (
        serving(refuse("AccessDenied", 403)) as server,
        connected(server.url) as connection,
        pytest.raises(ConfigurationError, match=r"sqs:CreateQueue and sqs:TagQueue on shop-responses-\*"),
    ):
        await queues_at(connection).open()


async def test_a_reply_that_sqs_fails_at_is_sent_again():
    """Replies have the same care as jobs."""
    with (
        serving(batch("0", i1=("InternalError", False)), batch("1")) as server,
        connected(server.url) as connection,
    ):
        await queues_at(connection).send(NAME, [Message(b"a"), Message(b"b")])
        assert [parameters["QueueUrl"] for _, parameters in map(asked, server.seen)] == [f"{BASE}/{NAME}"] * 2


async def test_a_heartbeat_that_fails_is_soon_written_again(monkeypatch):
    """One that may not sweep still says that it lives; when that fails, it does not wait five minutes."""
    pauses = []

    async def stop_after_two(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    def make(handler):
        [seen] = handler.server.seen
        answer({"QueueUrl": f"{BASE}/{asked(seen)[1]['QueueName']}"})(handler)

    denied, done = refuse("AccessDenied", 403), answer({})
    with (
        serving(make, done, denied, denied, answer({"Attributes": {}}), done, denied) as server,
        connected(server.url) as connection,
    ):
        web = queues_at(connection)
        await web.open()
        monkeypatch.setattr(sqs_upkeep.asyncio, "sleep", stop_after_two)
        with pytest.raises(asyncio.CancelledError):
            await web.keep()
        assert [asked(seen)[0] for seen in server.seen] == [
            *("CreateQueue", "TagQueue"),
            *("GetQueueAttributes", "ListQueues"),
            *("GetQueueAttributes", "TagQueue", "ListQueues"),
        ]
    assert pauses[0] <= 30 < 200 < pauses[1]
