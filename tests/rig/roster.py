"""machines -> the instances of one group: launched, in service, told to end, gone. Each with its activity.

Pending ──launched──> InService ──told to end──> Terminating:Wait ──hook──> Terminating:Proceed ──gone──> Terminated

The steps are those of the pages "Amazon EC2 Auto Scaling instance lifecycle" and "Amazon EC2 Auto Scaling lifecycle
hooks". All times are rig seconds.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.rig.activities import Activities
from tests.rig.group_spec import GroupSpec
from tests.rig.machines.port import CannotLaunch, Machines
from tests.rig.member import Member, State
from tests.rig.metadata import InstanceMetadata

NOTICE = 120.0  # seconds before EC2 takes a spot instance back; page "Spot Instance interruption notices"
RETRY = 30.0  # seconds after a launch failed


class Clock(Protocol):
    """Rig time."""

    def now(self) -> float:
        """Rig seconds."""
        ...

    def real(self, seconds: float) -> float:
        """So many rig seconds, in real ones."""
        ...


class Refused(Exception):
    """A request that EC2 Auto Scaling answers with ValidationError."""


class Roster:
    """The instances of a group, and what happens to them. `changed` is told of each whose state changed."""

    def __init__(
        self,
        spec: GroupSpec,
        machines: Machines,
        clock: Clock,
        *,
        make_metadata: Callable[..., InstanceMetadata] = InstanceMetadata,
        changed: Callable[[Member], None] = lambda _member: None,
    ) -> None:
        self.everyone: dict[str, Member] = {}  # the ended ones, too
        self.template = 1  # version of the launch template that new instances are made from
        self.user_data = spec.user_data
        self.retry_at = -math.inf  # not before then is anything launched
        self._spec, self._machines, self._clock = spec, machines, clock
        self._make_metadata, self._changed = make_metadata, changed
        self._begun = time.time() - clock.real(clock.now())
        self.activities = Activities(spec.name, clock.now, self.iso)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    def at(self, seconds: float) -> datetime:
        """The date of a rig second: where the rig's time began, as many seconds later."""
        return datetime.fromtimestamp(self._begun + seconds, UTC)

    def iso(self, seconds: float) -> str:
        """The same, as causes tell it."""
        return self.at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")

    def members(self, *states: State) -> list[Member]:
        """Those that are not gone, the oldest first; of these states, where some are given."""
        living = [member for member in self.everyone.values() if member.state != "Terminated"]
        return [member for member in living if member.state in states] if states else living

    def member(self, instance: str) -> Member:
        """One that is not gone. Raises `Refused`."""
        member = self.everyone.get(instance)
        if member is None or member.state == "Terminated":
            raise Refused(f"Instance Id not found - No managed instance found for instance ID: {instance}")
        return member

    def alive(self, member: Member) -> bool:
        """Whether its machine runs."""
        return self._machines.alive(member.id)

    def launch(self, cause: str) -> None:
        """One more, in the zone that has the fewest."""
        zones = Counter(member.zone for member in self.members() if member.counts)
        zone = min(self._spec.zones, key=lambda zone: zones[zone])
        instance = f"i-{secrets.token_hex(9)[:17]}"
        metadata = self._make_metadata(instance_id=instance, zone=zone, user_data=self.user_data)
        activity = self.activities.begin(f"Launching a new EC2 instance: {instance}", cause)
        member = Member(instance, zone, self._clock.now(), metadata, activity, template=self.template)
        self.everyone[instance] = member
        self._changed(member)
        self._begin(self._launched(member))

    def end(self, member: Member, cause: str) -> None:
        """Have one end: by way of the hook, if there is one; a pending one, once it is launched."""
        now = self._clock.now()
        if member.state == "Pending":
            member.unwanted = cause
            return
        member.terminating = now
        member.activity = self.activities.begin(f"Terminating EC2 instance: {member.id}", cause)
        member.metadata.target_lifecycle_state = "Terminated"
        if self._spec.hook is None:
            self.proceed(member, "")
            return
        member.activity.status = "MidLifecycleAction"
        member.waits_until = now + self._spec.hook.timeout
        member.waits_at_most = now + self._spec.hook.at_most
        self._become(member, "Terminating:Wait")

    def proceed(self, member: Member, left_by: str) -> None:
        """Its hook is done with: EC2 terminates it."""
        member.left_by = left_by
        self._become(member, "Terminating:Proceed")
        self._begin(self._shut_down(member))

    def died(self, member: Member) -> None:
        """Its machine is gone, and nobody meant it."""
        if member.state == "InService":
            cause = (
                "an instance was taken out of service in response to an EC2 health check indicating it has been "
                "terminated or stopped"
            )
            member.activity = self.activities.begin(f"Terminating EC2 instance: {member.id}", cause)
        member.left_by, member.healthy = "died", False
        self._gone(member)

    def kill(self, instance: str) -> None:
        """The instance is gone at once, without notice; the group finds out by its health."""
        self._begin(self._machines.kill(self.member(instance).id))

    def interrupt(self, instance: str, notice: float = NOTICE) -> None:
        """EC2 takes a spot instance back: it is told, and killed after the notice (rig seconds)."""
        member = self.member(instance)
        member.taken_at = self._clock.now() + notice
        member.metadata.spot_action = _wall(
            time.time() + self._clock.real(notice)
        )  # its reader lives in real time

    def recommend_rebalance(self, instance: str) -> None:
        """EC2 says that a spot instance may soon be taken back."""
        member = self.member(instance)
        member.at_risk = True
        member.metadata.rebalance = _wall(time.time())

    def raise_failure(self) -> None:
        """What went wrong behind the scenes, if something did."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    async def close(self) -> None:
        """Stop what is under way; the machines are somebody else's."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _launched(self, member: Member) -> None:
        try:
            await self._machines.launch(
                member.id, user_data=member.metadata.user_data, metadata=member.metadata
            )
        except CannotLaunch as error:
            self.retry_at = self._clock.now() + RETRY
            self._gone(member, failure=str(error))
            return
        now = self._clock.now()
        member.activity.end(now, "Successful")
        member.in_service, member.protected = now, self._spec.protected
        self._become(member, "InService")
        if member.unwanted:
            self.end(member, member.unwanted)

    async def _shut_down(self, member: Member) -> None:
        await self._machines.shut_down(member.id)
        self._gone(member)

    def _gone(self, member: Member, failure: str = "") -> None:
        member.ended = self._clock.now()
        member.activity.end(member.ended, "Failed" if failure else "Successful", failure)
        self._become(member, "Terminated")

    def _become(self, member: Member, state: State) -> None:
        member.state = state
        self._changed(member)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()


def _wall(seconds: float) -> str:
    """As metadata says it; with parts of a second, where AWS has whole ones: a second of ours is many of AWS's."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
