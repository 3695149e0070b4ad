"""A template, parameters ── stand-ins for SQS and S3, the rig's own services, instances ──> the stack, at work.

clients -> balancer -> web instances -> queue -> [sampled -> alarms -> policies -> groups] -> app instances -> answers
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from tests.doubles.fauxqs import Fauxqs
from tests.doubles.seaweedfs import Seaweedfs
from tests.rig.auto_scaling import AutoScaling
from tests.rig.balancer import Balancer
from tests.rig.clock import RigClock
from tests.rig.cloudwatch import CloudWatch
from tests.rig.group import Group
from tests.rig.group_spec import group_spec
from tests.rig.machines.choose import Choice
from tests.rig.machines.host import Host
from tests.rig.metadata import InstanceMetadata
from tests.rig.metric_store import MetricStore
from tests.rig.names import StackNames
from tests.rig.queue_metrics import QueueMetrics
from tests.rig.scaler import Scaler
from tests.rig.secrets_manager import SecretsManager
from tests.rig.serving import serve
from tests.rig.signals import Signals
from tests.rig.template import Resource, Stack, read, resolve

SCALE = 15.0  # rig seconds a second
SAMPLE = 15.0  # rig seconds between two looks at a queue's depth
CHECK = 15.0  # rig seconds between two health checks of the balancer
WEB_PORT = 8080
_SETTINGS_END = re.compile(
    r"(?<=^cat > /etc/iraas/iraas\.env <<'END'\n)(.*?)(?=^END$)", re.MULTILINE | re.DOTALL
)


class Cloud:
    """One stack, while the `async with` block runs.

    `settings` (and `web_settings` for the web tier) are put at the end of each instance's iraas.env: what is scaled
    in time. `logs` is where CloudWatch Logs is, if anywhere. `image`: booted instances have the release already.
    """

    def __init__(
        self,
        template: str,
        parameters: Mapping[str, str],
        *,
        sqs: Fauxqs,
        s3: Seaweedfs,
        choice: Choice,
        settings: Mapping[str, str],
        web_settings: Mapping[str, str],
        stack: str = "rig",
        image: bool = False,
        logs: str = "",
        scale: float = SCALE,
    ) -> None:
        self._sqs, self._s3, self._choice, self._image = sqs, s3, choice, image
        self._logs = logs
        self._settings = {"AppLaunchTemplate": settings, "WebLaunchTemplate": {**settings, **web_settings}}
        names = StackNames(stack, region=sqs.region, sqs_endpoint=sqs.endpoint)
        self.stack: Stack = resolve(
            read(template),
            names=names,
            parameters=parameters,
            pseudo=names.pseudo,
            zones=("us-east-1a", "us-east-1b"),
        )
        self.clock = RigClock(scale)
        self.store = MetricStore()
        self.auto_scaling = AutoScaling()
        self.signals = Signals()
        self.machines: Host
        self.balancer: Balancer
        self.scaler: Scaler
        self.bucket_of: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ends = AsyncExitStack()

    @property
    def app(self) -> Group:
        """The app tier."""
        return self.auto_scaling.groups[self._named("AppGroup")]

    @property
    def web(self) -> Group:
        """The web tier."""
        return self.auto_scaling.groups[self._named("WebGroup")]

    def check(self) -> None:
        """Raise what went wrong in the rig itself."""
        if self.auto_scaling.failure is not None:
            raise self.auto_scaling.failure
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise RuntimeError("a part of the rig failed") from task.exception()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _open(self) -> None:
        self._make_queues_and_buckets()
        secrets = SecretsManager(self._secrets())
        cloudwatch = CloudWatch(self.store, self.clock, alarms=lambda: self.scaler.states())
        self._ends.push_async_callback(self._close_machines)  # after the groups, which would replace them
        await self._ends.enter_async_context(self.auto_scaling)
        endpoints = {
            "SQS": self._sqs.endpoint,
            "S3": self._s3.endpoint,
            "AUTO_SCALING": self.auto_scaling.endpoint,
            "CLOUDFORMATION": await self._serve(self.signals.app()),
            "CLOUDWATCH": await self._serve(cloudwatch.app()),
            "SECRETS_MANAGER": await self._serve(secrets.app()),
        }
        if self._logs:
            endpoints["CLOUDWATCH_LOGS"] = self._logs
        self.machines = self._choice.machines(endpoints, image=self._image)
        self.balancer = Balancer(self._targets, self._connect, every=self.clock.real(CHECK))
        groups = {name: self.auto_scaling.add(self._group(name)) for name in ("AppGroup", "WebGroup")}
        self.scaler = Scaler(
            self.stack, {group.spec.name: group for group in groups.values()}, self.store, self.clock
        )
        await self.balancer.open()
        self._ends.push_async_callback(self.balancer.close)
        client = self._sqs.session().create_client(
            "sqs", region_name=self._sqs.region, endpoint_url=self._sqs.endpoint
        )
        self._ends.callback(client.close)
        queue = QueueMetrics(self.store, self.clock, client, self.url_of("RequestQueue"))
        self._tasks = [asyncio.create_task(queue.keep(every=SAMPLE)), asyncio.create_task(self.scaler.keep())]

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ends.aclose()

    async def _close_machines(self) -> None:
        if hasattr(self, "machines"):
            await self.machines.close()

    async def _serve(self, app: Any) -> str:
        endpoint, runner = await serve(app)
        self._ends.push_async_callback(runner.cleanup)
        return endpoint

    def url_of(self, queue: str) -> str:
        """Of a queue, by its logical id."""
        name = self.stack.resources[queue].properties["QueueName"]
        return f"{self._sqs.endpoint}/000000000000/{name}"

    def _named(self, group: str) -> str:
        return str(self.stack.resources[group].properties["AutoScalingGroupName"])

    def _make_queues_and_buckets(self) -> None:
        queues = self.stack.of("AWS::SQS::Queue")
        for name, found in sorted(queues.items(), key=lambda item: "RedrivePolicy" in item[1].properties):
            attributes = {
                key: value if isinstance(value, str) else json.dumps(value)
                for key, value in found.properties.items()
                if key not in ("QueueName", "Tags")
            }
            made = self._sqs.create_queue(found.properties["QueueName"], **attributes)
            path = urlsplit(self.url_of(name)).path
            assert urlsplit(made).path == path, f"{name} was made as {made}"
        for name, found in self.stack.of("AWS::S3::Bucket").items():
            self.bucket_of[name] = found.properties["BucketName"]
            self._s3.create_bucket(self.bucket_of[name])

    def _secrets(self) -> dict[str, str]:
        [(name, secret)] = self.stack.of("AWS::SecretsManager::Secret").items()
        arn = self._variable("WebLaunchTemplate", "IRAAS_API_KEYS_SECRET")
        assert arn, f"the web tier is not told of {name}"
        return {arn: secret.properties["SecretString"]}

    def _group(self, name: str) -> Group:
        hooks = self.stack.of("AWS::AutoScaling::LifecycleHook").values()
        own = [hook for hook in hooks if hook.properties["AutoScalingGroupName"] == self._named(name)]
        spec = group_spec(
            self.stack.resources[name].properties,
            user_data=self._user_data(name.replace("Group", "LaunchTemplate")),
            hook=own[0].properties if own else None,
        )
        role = name.replace("Group", "Role")

        return Group(
            spec,
            self.machines,
            self.clock,
            make_metadata=partial(InstanceMetadata, role=role),
            is_healthy=self._is_healthy,
        )

    def _user_data(self, template: str) -> str:
        added = "".join(f"{name}={value}\n" for name, value in self._settings[template].items())
        text, count = _SETTINGS_END.subn(lambda found: found[0] + added, self._script(template))
        assert count == 1, f"{template} writes no /etc/iraas/iraas.env"
        return text

    def _script(self, template: str) -> str:
        resource: Resource = self.stack.resources[template]
        return base64.b64decode(resource.properties["LaunchTemplateData"]["UserData"]).decode()

    def _variable(self, template: str, name: str) -> str:
        found = re.search(rf"^{name}=(.*)$", self._script(template), re.MULTILINE)
        return found[1] if found else ""

    def _targets(self) -> list[str]:
        return [member.id for member in self.web.roster.members("InService")]

    def _is_healthy(self, instance: str) -> bool:
        return instance in self.balancer.healthy()

    async def _connect(self, instance: str) -> Any:
        return await self.machines.connect(instance, WEB_PORT)
