"""CloudWatch, Auto Scaling and Secrets Manager for web processes that are started as a deployment starts them."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.rig.auto_scaling import AutoScaling
from tests.rig.clock import RigClock
from tests.rig.cloudwatch import CloudWatch
from tests.rig.group import Group
from tests.rig.group_spec import GroupSpec
from tests.rig.metadata import InstanceMetadata
from tests.rig.metric_store import MetricStore
from tests.rig.secrets_manager import SecretsManager
from tests.rig.serving import Serving

SCALE = 15.0  # rig seconds a second
GROUP = "the-app-group"
MOST = 4  # instances of the group


class Idle:
    """Instances that do nothing: only their states are wanted."""

    kind = "idle"
    endpoints: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._alive: set[str] = set()

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """It is there."""
        self._alive.add(instance)

    async def shut_down(self, instance: str) -> None:
        """It is gone."""
        self._alive.discard(instance)

    async def kill(self, instance: str) -> None:
        """It is gone."""
        self._alive.discard(instance)

    def alive(self, instance: str) -> bool:
        """Whether it is there."""
        return instance in self._alive

    async def connect(self, instance: str, port: int) -> socket.socket:
        """Nothing listens."""
        raise ConnectionRefusedError

    def log(self, instance: str) -> str:
        """It says nothing."""
        return ""

    async def close(self) -> None:
        """All are gone."""
        self._alive.clear()


class Miniature:
    """The three services, while the `with` block runs. `denied` operations are refused to everyone."""

    def __init__(self) -> None:
        self.clock = RigClock(SCALE)
        self.store = MetricStore()
        self.denied: set[str] = set()
        self.cloudwatch = CloudWatch(
            self.store, self.clock, denies=lambda _key, operation: operation in self.denied
        )
        self.secrets = SecretsManager()
        self.auto_scaling = AutoScaling()
        self.group = self.auto_scaling.add(
            Group(GroupSpec(GROUP, least=0, most=MOST, desired=0), Idle(), self.clock)
        )
        self._serving = Serving(self.cloudwatch.app(), self.secrets.app())

    def __enter__(self) -> Self:
        self._serving.__enter__()
        self._serving.run(self.auto_scaling.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.run(self.auto_scaling.__aexit__(None, None, None))
        self._serving.__exit__(kind, error, trace)

    @property
    def environment(self) -> dict[str, str]:
        """What a web process of the deployment is told."""
        cloudwatch, secrets = self._serving.endpoints
        return {
            "AWS_ENDPOINT_URL_AUTO_SCALING": self.auto_scaling.endpoint,
            "AWS_ENDPOINT_URL_CLOUDWATCH": cloudwatch,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets,
            "IRAAS_APP_GROUP": GROUP,
            "IRAAS_PUBLISH_EVERY": str(10 / SCALE),
        }

    def scale(self, instances: int) -> None:
        """What an alarm's action does."""

        async def change() -> None:
            self.group.set_desired(instances, "a test")

        self._serving.run(change())

    def newest(self, name: str, stack: str, stat: str) -> float:
        """The newest period of a metric; NaN where there is none."""
        return self.last(name, stack, stat, count=1)[-1]

    def last(self, name: str, stack: str, stat: str, *, count: int) -> list[float]:
        """Its last periods of ten rig seconds; the newest is left out as long as nothing is told of it."""
        found = self.store.datapoints(
            "iraas", name, {"Stack": stack}, stat=stat, period=10, count=count + 1, now=self.clock.now()
        )
        return found[:-1] if math.isnan(found[-1]) else found[1:]

    def asked(self, operation: str) -> int:
        """How often CloudWatch was asked for it."""
        return sum(count for (_, name), count in self.cloudwatch.requests.items() if name == operation)
