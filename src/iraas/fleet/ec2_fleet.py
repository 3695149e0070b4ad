"""DescribeAutoScalingGroups, decisions -> the fleet as web processes see it, and how many instances it lacks.

A fleet's numbers are workers; the group's, and those that are published, are instances.

Several web processes look at one queue, one group and one sum of arrivals, so they want much the same; the alarm takes
the largest `Lacking` of a period. So the fleet grows when one of them wants it to, and shrinks when all do. One whose
data are stale publishes nothing, and the others decide: its last sight of the group is older than `STALE` periods, or
its last decision older than three decisions. One that has just begun has no memory of the load, and has no say in
shrinking for `YOUNG` periods.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any, NamedTuple

from iraas.clock import Clock
from iraas.errors import BackendUnavailable
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.port import FleetReport, FleetState
from iraas.fleet.seen import SeenFleet

STALE = 3.0  # periods, or decisions
RESTS = 1.5  # periods after the group grew, so two publications, in which nothing lacks
YOUNG = 18.0  # periods: what our own policy remembers, three minutes
LOST_SECONDS = 60.0  # without news of the group, after which replies tell better who works


class Group(NamedTuple):
    """An Auto Scaling group's instances, as its last description has them."""

    minimum: int
    maximum: int
    desired: int
    in_service: int = 0
    pending: int = 0
    terminating: int = 0


class Need(NamedTuple):
    """What is published; instances."""

    wanted: int
    lacking: int | None  # above 0: launch so many more; below: end so many; None: no say


def described(name: str, answer: dict[str, Any]) -> Group:
    """What AWS says of a group. Raises `BackendUnavailable` where it is not there.

    Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle": `Pending`, `Pending:Wait`,
    `Pending:Proceed`, `InService`, `Terminating` and its two. Standby, warm and detached ones are no capacity.
    """
    try:
        group = next(group for group in answer["AutoScalingGroups"] if group["AutoScalingGroupName"] == name)
        states = [str(instance["LifecycleState"]) for instance in group.get("Instances", ())]
        return Group(
            minimum=group["MinSize"],
            maximum=group["MaxSize"],
            desired=group["DesiredCapacity"],
            in_service=states.count("InService"),
            pending=sum(state.startswith("Pending") for state in states),
            terminating=sum(state.startswith("Terminating") for state in states),
        )
    except StopIteration:
        raise BackendUnavailable(f"Auto Scaling: there is no group {name}") from None
    except KeyError as error:
        raise BackendUnavailable(f"Auto Scaling: an answer without {error}") from None


class Ec2Fleet:
    """The app tier's group: the fleet's port, and what a controller steers.

    `period` is `publish_every`. `decides_every`: seconds between two decisions of the controller; None: the group's
    own alarms decide. Until the group is known, and when it was lost from sight, it counts the workers that answer.
    """

    def __init__(
        self,
        name: str,
        *,
        workers_per_instance: int,
        period: float,
        decides_every: float | None,
        chronicle: Chronicle,
        clock: Clock,
    ) -> None:
        self.hurry = asyncio.Event()  # something lacks that was not published yet
        self._name = name
        self._workers = workers_per_instance
        self._period = period
        self._steered = decides_every is not None
        self._decision_lasts = STALE * max(period, decides_every or 0.0)
        self._chronicle = chronicle
        self._clock = clock
        self._seen = SeenFleet(clock)
        self._group = Group(0, 0, 0)
        self._heard_at = -math.inf  # boot time
        self._wanted = 0  # instances
        self._decided_at = -math.inf
        self._began_at = math.inf  # boot time of the first decision
        self._grew_at = -math.inf  # boot time at which the group was seen to want more
        self._published = 0  # `lacking`, when last asked for

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and most workers, by the group."""
        return self._group.minimum * self._workers, self._group.maximum * self._workers

    def heard(self, answer: dict[str, Any]) -> None:
        """Take what DescribeAutoScalingGroups answered. Raises `BackendUnavailable`."""
        before, known = self._group, self._heard_at > -math.inf
        self._group = group = described(self._name, answer)
        self._heard_at = now = self._clock.boot()
        if known and group.desired > before.desired:
            self._grew_at = now
        self._chronicle.bounded(*self.bounds)
        if known and not self._steered and group.desired != before.desired:
            self._chronicle.decided(
                before.desired * self._workers,
                group.desired * self._workers,
                f"the alarms of {self._name}, or somebody, asked for {group.desired} instances",
            )

    def check(self) -> None:
        """Raise `BackendUnavailable` while the group is not known, or not any more."""
        if self._lost:
            raise BackendUnavailable(f"nothing was heard of the group {self._name} lately")

    def state(self) -> FleetState:
        """Workers, counted by their instances; which of them are busy is not known here."""
        if self._age(self._heard_at) > max(LOST_SECONDS, STALE * self._period):
            return self._seen.state()
        group, workers = self._group, self._workers
        return FleetState(
            group.in_service * workers, group.pending * workers, draining=group.terminating * workers
        )

    def report(self) -> FleetReport:
        """What steers it, and what was decided lately."""
        return self._chronicle.report()

    def saw(self, worker: str) -> None:
        """A reply came from this worker."""
        self._seen.saw(worker)

    async def set(self, capacity: int) -> None:
        """Have so many workers: to be published, at once when the group has to grow for it."""
        self._wanted = math.ceil(capacity / self._workers)
        self._decided_at = now = self._clock.boot()
        self._began_at = min(self._began_at, now)
        need = self._need()
        if need is not None and (need.lacking or 0) > 0 >= self._published:
            self.hurry.set()

    def need(self) -> Need | None:
        """What to publish now; None: nothing, as it would be stale."""
        need = self._need()
        self._published = 0 if need is None else need.lacking or 0
        self.hurry.clear()
        return need

    def _need(self) -> Need | None:
        if self._age(self._decided_at) > self._decision_lasts or self._lost:
            return None
        lacking = lack(self._wanted, self._group)
        if lacking < 0 and self._age(self._began_at) < YOUNG * self._period:
            return Need(self._wanted, None)
        if lacking > 0 and self._age(self._grew_at) < RESTS * self._period:
            lacking = 0  # an alarm that stays in ALARM acts once a minute only; it has to be OK in between
        return Need(self._wanted, lacking)

    @property
    def _lost(self) -> bool:
        return self._age(self._heard_at) > STALE * self._period

    def _age(self, since: float) -> float:
        return self._clock.boot() - since


def lack(wanted: int, group: Group) -> int:
    """Instances wanted less those in service; 0 while the group itself is on its way there.

    The alarm's step is added to what is in service when it is evaluated, which is later than now: what starts may be
    in service by then, and would be added once more. So nothing lacks that the group already wants.
    """
    gap = wanted - group.in_service
    return gap if gap * (wanted - group.desired) > 0 else 0
