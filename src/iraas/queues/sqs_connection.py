"""operation, parameters -> SQS's answer: one botocore client for a process, in threads of its own.

Long polls have threads to themselves, so that a sender never waits behind twenty seconds of somebody's
patience.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import botocore
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import get_environ_proxies

from iraas.errors import BackendUnavailable, ConfigurationError
from iraas.queues.sqs_errors import Refusal, code_of
from iraas.queues.sqs_threads import Threads
from iraas.queues.sqs_wire import CONNECT_SECONDS, Wire

CALL_THREADS = 8
POLL_THREADS = 16
# With the SDK's standard back-off (at most 3 s when throttled), these bound a call: refused or throttled it
# fails within 3 s, in a network that swallows everything within 7, at a silent server within 8.
ATTEMPTS = 3
READ_SECONDS = 2.5
POLL_GRACE_SECONDS = 3.0  # that the answer to a long poll may be late
LONGEST_POLL_SECONDS = 20  # SQS allows no more

Parameters = dict[str, Any]
Answer = dict[str, Any]


class SqsConnection:
    """SQS as one process sees it. Any thread and any event loop may use it.

    `endpoint` is empty for AWS's own. `on_request` is told the operation of every HTTP request that is sent,
    each retry too, since AWS bills each; it is called in any thread. Raises `ConfigurationError` where no
    region is known or the endpoint is no URL.
    """

    def __init__(
        self,
        session: Session,
        *,
        region: str,
        endpoint: str = "",
        on_request: Callable[[str], object] = lambda _operation: None,
    ) -> None:
        self._on_request = on_request
        self._patience = threading.local()  # `read_seconds` of the call that this thread makes
        self._wire: Wire | None = None
        self._client = _client(session, region, endpoint)
        self.endpoint: str = self._client.meta.endpoint_url
        self.region: str = self._client.meta.region_name
        if get_environ_proxies(self.endpoint):  # botocore knows how to use those
            self._client.meta.events.register("before-send.sqs", self._count)
        else:
            is_encrypted = self.endpoint.startswith("https:")
            self._wire = Wire(_tls(session) if is_encrypted else None)
            self._client.meta.events.register("before-send.sqs", self._send)
        self._calls = Threads(CALL_THREADS, name="sqs-call")
        self._polls = Threads(POLL_THREADS, name="sqs-poll")

    async def call(self, operation: str, **parameters: Any) -> Answer:
        """What SQS answers. Raises `BackendUnavailable` and `QueueVanished`, within some 8 seconds."""
        try:
            return await self.ask(operation, **parameters)
        except Refusal as refusal:
            raise refusal.translated() from None

    async def ask(self, operation: str, **parameters: Any) -> Answer:
        """The same, for those who need AWS's own code. Raises `Refusal`."""
        return await self._calls.run(partial(self._ask, operation, parameters, READ_SECONDS))

    def poll(self, parameters: Parameters) -> asyncio.Future[Answer]:
        """A ReceiveMessage, begun; its `WaitTimeSeconds` bounds it. Ends as `call` does."""
        return self._polls.run(partial(self._poll, parameters))

    def close(self) -> None:
        """Give back threads and connections; waits for what is under way, at most for a poll's length."""
        self._calls.close()
        self._polls.close()
        if self._wire is not None:
            self._wire.close()
        self._client.close()

    def _poll(self, parameters: Parameters) -> Answer:
        patience = max(READ_SECONDS, parameters["WaitTimeSeconds"] + POLL_GRACE_SECONDS)
        try:
            return self._ask("ReceiveMessage", parameters, patience)
        except Refusal as refusal:
            raise refusal.translated() from None

    def _ask(self, operation: str, parameters: Parameters, read_seconds: float) -> Answer:
        self._patience.read_seconds = read_seconds
        try:
            answer: Answer = getattr(self._client, xform_name(operation))(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError, TimeoutError, ValueError) as error:
            queue = str(parameters.get("QueueUrl") or parameters.get("QueueName") or "")
            raise Refusal(operation, queue.rpartition("/")[2], code_of(error)) from None
        return answer

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        assert self._wire is not None
        seconds: float = self._patience.read_seconds
        try:
            return self._wire.send(request, read_seconds=seconds, before=lambda: self._count(event_name))
        except ReadTimeoutError:
            if seconds > READ_SECONDS:  # a long poll; the SDK would make three of it
                raise TimeoutError from None
            raise

    def _count(self, event_name: str, **_: object) -> None:
        self._on_request(event_name.rpartition(".")[2])


def time_of(answer: Answer) -> float:
    """When SQS answered, by its own clock: seconds since 1970-01-01T00:00Z, whole ones."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, ValueError):
        raise BackendUnavailable("SQS: an answer without a date") from None


def _tls(session: Session) -> ssl.SSLContext:
    """Trust whom the SDK would trust."""
    bundle = Path(session.get_config_variable("ca_bundle") or get_cert_path(verify=True))
    try:
        if bundle.is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise ConfigurationError(
            f"no certificates can be read from {bundle} ({error}); AWS_CA_BUNDLE names it"
        ) from None


def _client(session: Session, region: str, endpoint: str) -> Any:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=LONGEST_POLL_SECONDS + POLL_GRACE_SECONDS,  # through a proxy; else the wire has its own
        max_pool_connections=CALL_THREADS + POLL_THREADS,
        tcp_keepalive=True,
        parameter_validation=False,  # parameters are made here; and `check_queue` wants to send wrong ones
        user_agent=f"iraas Botocore/{botocore.__version__}",  # else it is put together anew for 0.4 core-ms a call
    )
    try:
        return session.create_client(
            "sqs", region_name=region or None, endpoint_url=endpoint or None, config=config
        )
    except (BotoCoreError, ValueError) as error:
        if code_of(error) == "NoRegionError":
            raise ConfigurationError(
                "no AWS region is known: set IRAAS_REGION, or AWS_DEFAULT_REGION"
            ) from None
        raise ConfigurationError(f"no client for SQS can be made: {error}") from None
