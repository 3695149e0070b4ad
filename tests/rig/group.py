"""wanted capacity, what its instances come to -> instances launched and ended. An Auto Scaling group of the rig.

`tick` is to be called often, inside a running event loop. All times are rig seconds. Each rule names its page of the
Amazon EC2 Auto Scaling User Guide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tests.rig.group_spec import GroupSpec
from tests.rig.machines.port import Machines
from tests.rig.member import Member
from tests.rig.metadata import InstanceMetadata
from tests.rig.roster import Clock, Refused, Roster
from tests.rig.termination import first_to_end

ALL_PROTECTED = (
    "could not scale to desired capacity because all remaining instances are protected from scale-in"
)


class Sizes(NamedTuple):
    """What scaling policies reckon with; `iraas.scaling.auto_scaling.StepScaling.adjust` says how."""

    capacity: int  # in service, and warm
    warming: int  # pending, or in service for less than the warm-up
    terminating: int


class Group:
    """One group. `changed` is told of each instance whose state changed; `is_healthy` is the balancer's word."""

    def __init__(
        self,
        spec: GroupSpec,
        machines: Machines,
        clock: Clock,
        *,
        make_metadata: Callable[..., InstanceMetadata] = InstanceMetadata,
        is_healthy: Callable[[str], bool] = lambda _instance: True,
        changed: Callable[[Member], None] = lambda _member: None,
    ) -> None:
        self.spec = spec
        self.desired = spec.desired
        self.roster = Roster(spec, machines, clock, make_metadata=make_metadata, changed=changed)
        self._clock, self._is_healthy = clock, is_healthy
        self._cause = "a user request created an AutoScalingGroup"
        self._said_protected = False

    def sizes(self, warmup: float = 0.0) -> Sizes:
        """How many there are for a policy whose instances warm up for so many seconds."""
        now = self._clock.now()
        serving = self.roster.members("InService")
        warm = sum(member.in_service is not None and now - member.in_service >= warmup for member in serving)
        pending = len(self.roster.members("Pending"))
        terminating = len(self.roster.members()) - pending - len(serving)
        return Sizes(warm, pending + len(serving) - warm, terminating)

    def metrics(self) -> dict[str, float]:
        """The group metrics of the namespace AWS/AutoScaling (page "Amazon CloudWatch metrics for ...")."""
        states = Counter(member.state.partition(":")[0] for member in self.roster.members())
        return {
            "GroupMinSize": self.spec.least,
            "GroupMaxSize": self.spec.most,
            "GroupDesiredCapacity": self.desired,
            "GroupInServiceInstances": states["InService"],
            "GroupPendingInstances": states["Pending"],
            "GroupTerminatingInstances": states["Terminating"],
            "GroupStandbyInstances": 0,
            "GroupTotalInstances": states.total(),
        }

    def set_desired(self, capacity: int, cause: str) -> None:
        """Another desired capacity, for this cause in words. Raises `Refused` beyond the group's bounds."""
        least, most = self.spec.least, self.spec.most
        if not least <= capacity <= most:
            bound = f"below min value {least}" if capacity < least else f"above max value {most}"
            raise Refused(f"New SetDesiredCapacity value {capacity} is {bound} for the AutoScalingGroup.")
        if capacity != self.desired:
            self._cause = f"{cause} changing the desired capacity from {self.desired} to {capacity}"
            self.desired, self._said_protected = capacity, False

    def protect(self, instances: list[str], *, protected: bool) -> None:
        """SetInstanceProtection. Raises `Refused` for who is not in service."""
        members = [self.roster.member(instance) for instance in instances]
        for member in members:
            if member.state != "InService":
                raise Refused(f"The instance {member.id} is not in InService or EnteringStandby or Standby.")
        for member in members:
            member.protected = protected
            member.protections += 1

    def heartbeat(self, instance: str, hook: str) -> None:
        """RecordLifecycleActionHeartbeat: the time-out begins anew. Raises `Refused` where no such hook waits."""
        member = self._waiting(instance, hook)
        assert self.spec.hook is not None
        member.beats += 1
        member.waits_until = min(self._clock.now() + self.spec.hook.timeout, member.waits_at_most)

    def complete(self, instance: str, hook: str, result: str) -> None:
        """CompleteLifecycleAction. Raises `Refused` where no such hook waits."""
        member = self._waiting(instance, hook)
        if result not in {"CONTINUE", "ABANDON"}:
            raise Refused(f"Invalid lifecycle action result: {result}")
        self.roster.proceed(member, result)

    def terminate(self, instance: str, *, decrement: bool) -> Member:
        """TerminateInstanceInAutoScalingGroup; scale-in protection does not hold it up. Raises `Refused`."""
        member = self.roster.member(instance)
        if not member.counts or member.unwanted:
            raise Refused(f"Instance {instance} is already terminating")
        if decrement:
            if self.desired <= self.spec.least:
                raise Refused(
                    "Currently, desiredSize equals minSize. Terminating instance without replacement will violate "
                    "group's min size constraint."
                )
            self.desired -= 1
        self.roster.end(member, "instance was taken out of service in response to a user request")
        return member

    def tick(self) -> None:
        """Do what is due. Raises what went wrong behind the scenes."""
        self.roster.raise_failure()
        now = self._clock.now()
        for member in self.roster.members():
            if member.taken_at is not None and now >= member.taken_at:
                member.taken_at = None
                self.roster.kill(member.id)
            self._look_at(member, now)
        at_risk = self._at_risk()
        # Page "Capacity Rebalancing": whoever is at risk ends once its replacement is in service.
        for member in at_risk[: max(0, len(self.roster.members("InService")) - self.desired)]:
            self.roster.end(
                member,
                "an instance was taken out of service in response to an EC2 instance rebalance recommendation",
            )
        self._keep_size(now)

    async def close(self) -> None:
        """Stop what is under way; the machines are somebody else's."""
        await self.roster.close()

    def _waiting(self, instance: str, hook: str) -> Member:
        if self.spec.hook is None or hook != self.spec.hook.name:
            raise Refused(f"No Lifecycle Hook found with name: {hook}")
        member = self.roster.everyone.get(instance)
        if member is None or member.state != "Terminating:Wait":
            raise Refused(f"No active Lifecycle Action found with instance ID {instance}")
        return member

    def _look_at(self, member: Member, now: float) -> None:
        if member.state in {"InService", "Terminating:Wait"} and not self.roster.alive(member):
            self.roster.died(member)
        elif member.state == "Terminating:Wait" and now >= member.waits_until:
            self.roster.proceed(member, "timed out")
        elif member.in_service is not None and member.state == "InService" and self.spec.asks_balancer:
            counts = now - member.in_service >= self.spec.grace
            if counts and not self._is_healthy(member.id):
                member.healthy = False
                self.roster.end(
                    member,
                    "an instance was taken out of service in response to an ELB system health check failure",
                )

    def _at_risk(self) -> list[Member]:
        serving = self.roster.members("InService") if self.spec.rebalances else []
        return [member for member in serving if member.at_risk]

    def _keep_size(self, now: float) -> None:
        wanted, at_risk = self.desired, len(self._at_risk())
        if at_risk:
            # Page "Capacity Rebalancing": beyond the maximum by a tenth of the desired capacity; here one at least.
            wanted = min(wanted + at_risk, self.spec.most + max(1, wanted // 10))
        have = sum(member.counts and not member.unwanted for member in self.roster.members())
        while have < wanted and now >= self.roster.retry_at:
            self.roster.launch(self._in_words(now, "started", "increasing", have, have + 1))
            have += 1
        while have > wanted and self._scale_in(
            self._in_words(now, "taken out of service", "shrinking", have, have - 1)
        ):
            have -= 1
        if have == wanted:
            self._cause = ""  # what comes after that is no consequence of it

    def _in_words(self, now: float, what: str, how: str, before: int, after: int) -> str:
        why = f"{self._cause}. At {self.roster.iso(now)} " if self._cause else ""
        return (
            f"{why}an instance was {what} in response to a difference between desired and actual capacity, "
            f"{how} the capacity from {before} to {after}"
        )

    def _scale_in(self, cause: str) -> bool:
        """Whether one could be taken. Page "Use instance scale-in protection": it starts in the state InService."""
        serving = self.roster.members("InService")
        free = [member for member in serving if not member.protected]
        pending = [member for member in self.roster.members("Pending") if not member.unwanted]
        if free:
            self.roster.end(first_to_end(free, serving, self._clock.now()), cause)
        elif pending:
            self.roster.end(pending[-1], cause)
        elif not self._said_protected:
            self._said_protected = True
            activity = self.roster.activities.begin(
                "Terminating EC2 instances", f"{self._cause or 'the group'} {ALL_PROTECTED}"
            )
            activity.end(self._clock.now(), "Cancelled", ALL_PROTECTED.capitalize() + ".")
        return bool(free or pending)
