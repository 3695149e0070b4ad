"""Settings -> the AWS backend: jobs in SQS, objects in S3. The one file that knows which SDK speaks to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

from iraas.blobs.port import Blobs
from iraas.clock import Clock, SystemClock
from iraas.errors import ConfigurationError
from iraas.fleet.port import Fleet
from iraas.fleet.seen import SeenFleet
from iraas.queues.awake import keep_awake
from iraas.queues.port import Queue, ResponseQueues
from iraas.settings import Settings
from iraas.telemetry import Telemetry
from iraas.wiring.backend import Background, Sight, Tier
from iraas.wiring.keys import KeySecret
from iraas.wiring.overrides import Overrides
from iraas.worker.begun import NoNote

try:
    import botocore.session

    from iraas.blobs.s3 import S3Blobs, check_bucket
    from iraas.fleet.ec2_calls import Service
    from iraas.queues.sqs import SqsConnection, SqsQueue, SqsResponseQueues, check_queue
    from iraas.wiring.group import GroupFleet
    from iraas.wiring.key_secret import key_secret
except ImportError as error:
    raise ConfigurationError(f"the aws backend needs {error.name}: pip install 'iraas[aws]'") from error

MAX_RESULT_BYTES = 1_000_000  # of an answer; a hundred predictions take 8 KB

# What each asks of each thing, as docs/aws.md lists it for its role. An operator's repairs are tried when needed.
ON_REQUESTS = {
    "web": ("SendMessage",),
    "worker": ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    "operator": (),
}
ON_DEAD_LETTERS = {
    "web": ("ReceiveMessage", "DeleteMessage"),
    "worker": ("SendMessage",),
    "operator": (),
}
ON_INPUTS = {
    "web": ("PutObject", "GetObject", "DeleteObject", "ListBucket"),
    "worker": ("GetObject", "DeleteObject", "ListBucket"),
    "operator": ("GetObject", "ListBucket"),
}
ON_RESULTS = {
    "web": ("PutObject", "GetObject", "ListBucket"),
    "worker": ("PutObject", "GetObject", "ListBucket"),
    "operator": ("GetObject", "ListBucket"),
}


# botocore's name of a service -> the end of the variable that names its endpoint.
VARIABLES = {
    "autoscaling": "AUTO_SCALING",
    "cloudwatch": "CLOUDWATCH",
    "secretsmanager": "SECRETS_MANAGER",
}


class AwsBackend:
    """Queues and stores that any number of machines share; keeps the promises of `Backend`."""

    sample_seconds = 1.0  # a request of its own, so not for each picture
    lag_seconds = 10.0  # SQS says up to a minute, and is mostly done in seconds

    def __init__(self, settings: Settings, *, overrides: Overrides, telemetry: Telemetry) -> None:
        self._settings = settings
        self._session = session = botocore.session.Session()
        # botocore itself reads AWS_DEFAULT_REGION and the profile; every other SDK, and Lambda, say AWS_REGION.
        region = settings.region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise ConfigurationError("no AWS region is known: set IRAAS_REGION, or AWS_REGION")

        self._region = region
        self._services: list[Service] = []

        def count(operation: str) -> None:
            telemetry.count("iraas_aws_requests_total", operation=operation)

        self._count = count

        self._connection = SqsConnection(
            session, region=region, endpoint=endpoint(settings.sqs_endpoint, "SQS"), on_request=count
        )

        def bucket(name: str, max_bytes: int) -> S3Blobs:
            return S3Blobs(
                name,
                session=session,
                region=region,
                endpoint=endpoint(settings.s3_endpoint, "S3"),
                max_bytes=max_bytes,
                encryption=settings.s3_encryption,
                kms_key=settings.s3_kms_key,
                on_request=count,
            )

        self._input_bucket = bucket(settings.input_bucket, settings.max_image_bytes)
        self._result_bucket = bucket(settings.result_bucket, MAX_RESULT_BYTES)
        self._response_queues = SqsResponseQueues(
            self._connection,
            requests_url=settings.request_queue_url,
            stack=settings.stack,
            clock=SystemClock(),
        )
        self.clock: Clock = SystemClock()
        self.requests: Queue = overrides.requests(self._queue(settings.request_queue_url))
        self.dead_letters: Queue = self._queue(settings.dead_letter_queue_url, gives_back=False)
        self.responses: ResponseQueues = overrides.responses(self._response_queues)
        self.inputs: Blobs = overrides.inputs(self._input_bucket)
        self.results: Blobs = overrides.results(self._result_bucket)
        self._group = GroupFleet(settings, self.clock) if settings.app_group else None
        self.fleet: Fleet = SeenFleet(self.clock) if self._group is None else self._group.fleet

    def heartbeat_queue(self) -> Queue:
        """The request queue once more; the connection is made for many threads."""
        return self._queue(self._settings.request_queue_url)

    def begun_note(self) -> NoNote:
        """No supervisor reads one: what a dead worker held comes back when its leases run out."""
        return NoNote()

    def upkeep(self) -> Mapping[str, Background]:
        """Say that this process lives, sweep the response queues of those that do not, keep metrics going."""
        return {
            "response queues": self._response_queues.keep,
            "awake": partial(keep_awake, (self.requests, self.dead_letters)),
        }

    def steering(self, sight: Sight) -> Mapping[str, Background]:
        """Publish to CloudWatch, and steer the app tier's group; nothing where there is none."""
        if self._group is None:
            return {}
        return self._group.background(
            sight,
            cloudwatch=self._service("cloudwatch"),
            auto_scaling=self._service("autoscaling"),
            waiting=self._response_queues.waiting,
        )

    def key_secret(self) -> KeySecret | None:
        """The secret of the setting. Raises `ConfigurationError`."""
        if not self._settings.api_keys_secret:
            return None
        return key_secret(self._settings, self._service("secretsmanager"))

    def gauge(self) -> None:
        """S3 has no limit to come near."""

    async def check(self, tier: Tier) -> None:
        """Ask for everything that the tier will ask for. Raises `ConfigurationError` in words."""
        settings = self._settings
        await check_queue(
            self._connection,
            settings.request_queue_url,
            name="IRAAS_REQUEST_QUEUE_URL",
            may=ON_REQUESTS[tier],
        )
        await check_queue(
            self._connection,
            settings.dead_letter_queue_url,
            name="IRAAS_DEAD_LETTER_QUEUE_URL",
            may=ON_DEAD_LETTERS[tier],
        )
        await check_bucket(self._input_bucket, name="IRAAS_INPUT_BUCKET", may=ON_INPUTS[tier])
        await check_bucket(self._result_bucket, name="IRAAS_RESULT_BUCKET", may=ON_RESULTS[tier])

    async def close(self) -> None:
        """Give back what is held open."""
        await self.requests.close()
        await self.dead_letters.close()
        await self.inputs.close()
        await self.results.close()
        self._connection.close()
        for service in self._services:
            service.close()

    def _service(self, name: str) -> Service:
        service = Service(
            self._session,
            name,
            region=self._region,
            endpoint=endpoint("", VARIABLES[name]),
            on_request=self._count,
        )
        self._services.append(service)
        return service

    def _queue(self, url: str, *, gives_back: bool = True) -> SqsQueue:
        return SqsQueue(
            self._connection,
            url,
            visibility_timeout=self._settings.visibility_timeout,
            wait_seconds=self._settings.sqs_wait_seconds,
            gives_back=gives_back,
        )


def endpoint(setting: str, service: str) -> str:
    """Where a service is: as set, else as the SDK's own variables say, else empty for AWS itself."""
    return (
        setting or os.environ.get(f"AWS_ENDPOINT_URL_{service}") or os.environ.get("AWS_ENDPOINT_URL") or ""
    )
