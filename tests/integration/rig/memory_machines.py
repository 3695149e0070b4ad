"""Machines that are nothing but a name, on a clock in the test's hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

from tests.rig.group import Group
from tests.rig.group_spec import GroupSpec, Hook
from tests.rig.machines.port import CannotLaunch
from tests.rig.metadata import InstanceMetadata

HOOK = Hook("leaving", 300.0, "CONTINUE")


class StepClock:
    """Rig time that stands still until it is moved; ten rig seconds a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        """Rig seconds."""
        return self.seconds

    def real(self, seconds: float) -> float:
        """So many rig seconds, in real ones."""
        return seconds / 10


class MemoryMachines:
    """Launches and ends at once, unless it is told not to."""

    kind = "nothing"

    def __init__(self) -> None:
        self.endpoints: Mapping[str, str] = {}
        self.running: dict[str, str] = {}  # user data by instance
        self.ended: list[str] = []  # shut down in order
        self.boots = asyncio.Event()  # launches wait for it
        self.boots.set()
        self.fails = ""

    async def launch(self, instance: str, *, user_data: str, metadata: InstanceMetadata) -> None:
        """Run it."""
        await self.boots.wait()
        if self.fails:
            raise CannotLaunch(self.fails)
        self.running[instance] = user_data

    async def shut_down(self, instance: str) -> None:
        """End it."""
        self.ended.append(instance)
        self.running.pop(instance, None)

    async def kill(self, instance: str) -> None:
        """End it."""
        self.running.pop(instance, None)

    def alive(self, instance: str) -> bool:
        """Whether it runs."""
        return instance in self.running

    async def connect(self, instance: str, port: int) -> socket.socket:
        """Nobody listens in there."""
        raise ConnectionRefusedError(f"{instance}:{port}")

    def log(self, instance: str) -> str:
        """It says nothing."""
        return ""

    async def close(self) -> None:
        """End all."""
        self.running.clear()


class Played:
    """A group on such machines, and ways to let it go on."""

    def __init__(self, *, balancer: dict[str, bool] | None = None, **spec: object) -> None:
        self.clock = StepClock()
        self.machines = MemoryMachines()
        self.changes: list[tuple[str, str]] = []
        self.group = Group(
            GroupSpec(**{"name": "app", "least": 0, "most": 10, "desired": 0, "hook": HOOK, **spec}),
            self.machines,
            self.clock,
            is_healthy=lambda instance: (balancer or {}).get(instance, True),
            changed=lambda member: self.changes.append((member.id, member.state)),
        )
        self.roster = self.group.roster

    async def pass_time(self, seconds: float = 0.0) -> None:
        """Let so many rig seconds pass, and all that follows happen."""
        self.clock.seconds += seconds
        for _ in range(5):
            self.group.tick()
            for _ in range(5):
                await asyncio.sleep(0)

    async def want(self, capacity: int) -> None:
        """Set the desired capacity."""
        self.group.set_desired(capacity, "a user request explicitly set group desired capacity")
        await self.pass_time()

    def ids(self, *states: str) -> list[str]:
        """The instances in these states, the oldest first."""
        return [member.id for member in self.roster.members(*states)]

    def causes(self) -> list[str]:
        """Why, the latest first."""
        return [activity.cause for activity in self.roster.activities.latest()]
