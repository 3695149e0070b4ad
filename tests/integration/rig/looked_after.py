"""An Auto Scaling group whose instances are `iraas instance`, the real process, with a worker's numbers beside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Gauge, start_http_server
from tests.deployment import free_port
from tests.integration.rig.memory_machines import HOOK
from tests.rig.auto_scaling import AutoScaling
from tests.rig.clock import RigClock
from tests.rig.group import Group
from tests.rig.group_spec import GroupSpec
from tests.rig.member import Member
from tests.rig.metadata import InstanceMetadata
from tests.service import REAL, STOP_SECONDS
from tests.waiting import until

SCALE = 15
PROTECT_SECONDS = 0.8  # real ones: a minute there is some seconds here
LOOK_SECONDS = 0.1


class LookedAfter:
    """One instance: its metadata, its worker's numbers, its folder, its process. It is the rig's machine, too."""

    kind = "one process"
    endpoints: Mapping[str, str] = {}

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.log_file = folder / "instance.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.protected_at: list[float] = []  # rig seconds of calls
        self.clock = RigClock(SCALE)
        self._settings = settings
        self._alive = False
        self._base = free_port() - 1
        registry = CollectorRegistry()
        self.held = Gauge("iraas_worker_held", "as a worker has it", registry=registry)
        self._worker, self._serving = start_http_server(self._base + 1, addr="127.0.0.1", registry=registry)

    async def __aenter__(self) -> Self:
        self.service = await AutoScaling().__aenter__()
        spec = GroupSpec("app", least=0, most=1, desired=1, hook=HOOK)
        self.group = self.service.add(Group(spec, self, self.clock))
        unseen = self.group.protect

        def protect(instances: list[str], *, protected: bool) -> None:
            self.protected_at.append(self.clock.now())
            unseen(instances, protected=protected)

        self.group.protect = protect  # type: ignore[method-assign]
        await self.until(lambda: self.group.sizes().capacity == 1, "in service")
        [self.member] = self.group.roster.members()
        await self.until(lambda: self.events("instance.started"), "started")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.group.desired = 0
        await self.service.__aexit__(kind, error, trace)
        await self.close()
        self._worker.shutdown()
        self._worker.server_close()
        self._serving.join()
        assert self.service.failure is None

    # the machine

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """Serve its metadata, and start its process."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._metadata_port = listening.getsockname()[1]
        self._metadata = await metadata.serve(listening)
        self._alive = True
        self.start()

    async def shut_down(self, instance: str) -> None:
        """SIGTERM; it must end at once and in order."""
        assert await asyncio.to_thread(self.stop) == 0
        await self.kill(instance)

    async def kill(self, instance: str) -> None:
        """Kill -9, of the whole machine."""
        self._alive = False
        self.kill_process()
        self._metadata.close()

    def alive(self, instance: str) -> bool:
        """Whether the machine runs; its process may not."""
        return self._alive

    async def connect(self, instance: str, port: int) -> socket.socket:
        """Nobody asks."""
        raise ConnectionRefusedError

    def log(self, instance: str) -> str:
        """What it said."""
        return self.log_file.read_text()

    async def close(self) -> None:
        """End it."""
        if self._alive:
            await self.kill("")

    # its process

    def start(self) -> None:
        """Start `iraas instance`, or start it again."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("IRAAS_", "AWS_"))}
        environment = {
            "AWS_ENDPOINT_URL_AUTO_SCALING": self.service.endpoint,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{self._metadata_port}",
            "IRAAS_REGION": "us-east-1",
            "IRAAS_INSTANCE_GROUP": "app",
            "IRAAS_INSTANCE_HOOK": HOOK.name,
            "IRAAS_INSTANCE_FOLDER": str(self.folder),
            "IRAAS_INSTANCE_LOOK_EVERY": str(LOOK_SECONDS),
            "IRAAS_INSTANCE_PROTECT_EVERY": str(PROTECT_SECONDS),
            "IRAAS_INSTANCE_METRICS_BASE": str(self._base),
            **self._settings,
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*REAL, "instance"], env=clean | environment, stdout=log, stderr=log
            )

    def kill_process(self) -> None:
        """Kill -9, of the process alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    # to look at

    def events(self, name: str) -> list[dict[str, object]]:
        """Its log lines of this event."""
        lines = [json.loads(line) for line in self.log("").splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def is_told(self) -> bool:
        """Whether its services are told to leave."""
        return (self.folder / "leave").exists()

    def say_left(self) -> None:
        """Its services have left."""
        (self.folder / "left").touch()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait beside the event loop, which all of this needs."""
        await asyncio.to_thread(until, condition, what=what)

    async def gone(self) -> Member:
        """The instance, once it is terminated."""
        await self.until(lambda: self.member.state == "Terminated", "terminated")
        return self.member
