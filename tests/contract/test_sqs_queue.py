"""SQS keeps the promises of the queue port: two stand-ins here, and a real account for those who have one."""

import json
import os
import secrets
import time
from contextlib import AsyncExitStack

import pytest
from botocore.session import Session
from tests.conftest import missing
from tests.doubles.fauxqs import Fauxqs, node
from tests.doubles.moto import Moto

from iraas.clock import SystemClock
from iraas.queues.sqs import SqsConnection, SqsQueue, SqsResponseQueues
from iraas.queues.sqs_responses import SETTLE_SECONDS
from iraas.testing.queue_contract import QueueContract, ResponseQueuesContract

LEASE_SECONDS = 60


class RealClock:
    """Time that passes by itself, as AWS's does; `advance` waits for it."""

    def advance(self, seconds):
        """Wait, and a little longer than the other side's clock can be late."""
        time.sleep(seconds + 0.1)


class Account:
    """A place to make queues in, and processes that use them."""

    def __init__(self, session, region, endpoint="", *, clock, visibility_timeout, settle_seconds=0.0):
        self.session, self.region, self.endpoint = session, region, endpoint
        self.clock = clock
        self.visibility_timeout = visibility_timeout
        self.settle_seconds = (
            settle_seconds  # AWS: "you must wait at least one second" before a queue is used
        )
        self.prefix = f"iraas-test-{secrets.token_hex(4)}"
        self.urls = {}

    def connect(self):
        """What a process has."""
        return SqsConnection(self.session, region=self.region, endpoint=self.endpoint)

    def client(self):
        """The SDK's own."""
        return self.session.create_client("sqs", region_name=self.region, endpoint_url=self.endpoint or None)

    def make(self, client, name, **attributes):
        """The URL of a queue of this test."""
        if name not in self.urls:
            made = client.create_queue(QueueName=f"{self.prefix}-{name}", Attributes=attributes)
            self.urls[name] = made["QueueUrl"]
            time.sleep(self.settle_seconds)
        return self.urls[name]

    def open(self, client, connection, name, *, max_receives, dead_letter, kind=SqsQueue):
        """A queue, with its dead-letter queue."""
        attributes = {}
        if dead_letter:
            letters = self.make(client, dead_letter)
            arn = client.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]
            policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": max_receives}
            attributes["RedrivePolicy"] = json.dumps(policy)
        url = self.make(client, name, **attributes)
        return kind(connection, url, visibility_timeout=self.visibility_timeout)


class SqsCase(QueueContract):
    """Each queue on a connection of its own, as another process would have it."""

    queue_kind = SqsQueue

    @pytest.fixture
    def clock(self, account):
        """SQS's own, as far as somebody can move it."""
        return account.clock

    @pytest.fixture
    async def open_queue(self, account):
        """Makes a queue when it is asked for first."""
        client = account.client()
        async with AsyncExitStack() as opened:
            opened.callback(client.close)

            def open_queue(name, *, visibility_timeout=None, max_receives=20, dead_letter=""):
                connection = account.connect()
                opened.callback(connection.close)
                options = {"max_receives": max_receives, "dead_letter": dead_letter, "kind": self.queue_kind}
                queue = account.open(client, connection, name, **options)
                opened.push_async_callback(queue.close)
                return queue

            yield open_queue


class SqsResponsesCase(ResponseQueuesContract):
    """Two processes, each with a connection of its own."""

    responses_kind = SqsResponseQueues

    @pytest.fixture
    async def open_responses(self, account):
        """A process's view."""
        client = account.client()
        requests = account.make(client, "requests")
        client.close()
        async with AsyncExitStack() as opened:

            def open_responses():
                connection = account.connect()
                opened.callback(connection.close)
                queues = self.responses_kind(
                    connection,
                    requests_url=requests,
                    stack=account.prefix,
                    clock=SystemClock(),
                    settle_seconds=account.settle_seconds,
                )
                opened.push_async_callback(queues.close)
                return queues

            yield open_responses

    @pytest.fixture
    def web(self, open_responses):
        """The web process's."""
        return open_responses()

    @pytest.fixture
    def worker(self, open_responses):
        """A worker's."""
        return open_responses()


@pytest.fixture(scope="module")
def fauxqs():
    """The server, for all tests of this file."""
    if node() is None:
        missing("fauxqs")
    with Fauxqs() as server:
        yield server


@pytest.fixture(scope="module")
def moto():
    """The server, for all tests of this file."""
    with Moto() as server:
        yield server


class OnFauxqs:
    """fauxqs is AWS-like in all that the contract asks."""

    @pytest.fixture
    def account(self, fauxqs):
        """Queues with leases that no busy machine outlasts."""
        return Account(
            fauxqs.session(), fauxqs.region, fauxqs.endpoint, clock=fauxqs, visibility_timeout=LEASE_SECONDS
        )


class OnMoto:
    """moto is right in small."""

    @pytest.fixture
    def account(self, moto):
        """Queues with leases that no busy machine outlasts."""
        return Account(
            moto.session(), moto.region, moto.endpoint, clock=moto, visibility_timeout=LEASE_SECONDS
        )


class TestFauxqs(OnFauxqs, SqsCase):
    """Every promise."""


class TestFauxqsResponses(OnFauxqs, SqsResponsesCase):
    """Every promise."""


class TestMoto(OnMoto, SqsCase):
    """Every promise."""


class TestMotoResponses(OnMoto, SqsResponsesCase):
    """Every promise."""


class PatientQueue(SqsQueue):
    """A short poll asks some of AWS's servers only, and a long one may bring a part: so this one asks on."""

    async def receive(self, *, up_to, wait):
        """All that is there, up to so many; an empty list when nothing came for two seconds."""
        received = await super().receive(up_to=up_to, wait=2 if 0 <= wait < 2 else wait)
        while received and len(received) < up_to:
            more = await super().receive(up_to=up_to - len(received), wait=2)
            if not more:
                break
            received += more
        return received


class PatientResponseQueues(SqsResponseQueues):
    """Whose queue is patient."""

    async def open(self):
        """Its name, and the queue."""
        name, queue = await super().open()
        return name, PatientQueue(self._connection, queue.url, visibility_timeout=queue.visibility_timeout)


class OnAws:
    """A real account: its counts are late by a minute, and all its queues have a random name and are removed."""

    depth_is_exact = False
    queue_kind = PatientQueue
    responses_kind = PatientResponseQueues

    @pytest.fixture
    def account(self, aws):
        """Queues with leases that a patient receive does not outlast."""
        account = Account(
            aws,
            aws.get_config_variable("region"),
            clock=RealClock(),
            visibility_timeout=12,
            settle_seconds=SETTLE_SECONDS,
        )
        yield account
        client = account.client()
        for url in client.list_queues(QueueNamePrefix=account.prefix).get("QueueUrls", ()):
            client.delete_queue(QueueUrl=url)
        client.close()


if os.environ.get("IRAAS_TEST_AWS") == "1":  # make test-aws; some thousand requests, for less than a cent

    @pytest.fixture(scope="module")
    def aws():
        """Credentials and region as the SDK finds them."""
        return Session()

    class TestAws(OnAws, SqsCase):
        """Every promise, but for exact counts."""

    class TestAwsResponses(OnAws, SqsResponsesCase):
        """Every promise, but for exact counts."""
