"""alarms, policies of a stack ── the metric store, each period ──> the desired capacity of its groups.

What CloudWatch and Auto Scaling do with a template, on the rig's clock.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.rig.alarms import CloudWatchAlarm
from tests.rig.clock import RigClock
from tests.rig.group import Group
from tests.rig.metric_store import MetricStore
from tests.rig.policies import Counts, SimplePolicy, StepPolicy, TrackingPolicy, read_policy, together
from tests.rig.template import Stack

LOOK = 5.0  # rig seconds between two looks at what is due
GROUP_METRICS = "AWS/AutoScaling"
LATE = 2  # minutes that the latest of AWS's own metrics is late, for target tracking


class Move(NamedTuple):
    """What one policy wants of a group."""

    wanted: int
    cause: str


class Scaler:
    """Evaluates the alarms of a stack, and carries out their policies on `groups`, by name."""

    def __init__(
        self, stack: Stack, groups: Mapping[str, Group], store: MetricStore, clock: RigClock
    ) -> None:
        self._groups, self._store, self._clock = groups, store, clock
        self.alarms = {
            name: CloudWatchAlarm(found.properties)
            for name, found in stack.of("AWS::CloudWatch::Alarm").items()
        }
        self._policies = {
            name: (groups[found.properties["AutoScalingGroupName"]], read_policy(found.properties))
            for name, found in stack.of("AWS::AutoScaling::ScalingPolicy").items()
        }
        self._due = dict.fromkeys((*self.alarms, *self._policies), 0.0)
        self._acted = dict.fromkeys(groups, float("-inf"))  # simple scaling's, by group
        self.moves: list[tuple[float, str, int, int, str]] = []  # when, group, from, to, why

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(self._clock.real(LOOK))

    def look(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        for name, group in self._groups.items():
            for metric, value in group.metrics().items():
                dimensions = {"AutoScalingGroupName": name}
                self._store.put(GROUP_METRICS, metric, dimensions, value, at=now)
        asked: dict[str, list[Move]] = defaultdict(list)  # by alarms
        tracked: dict[str, list[tuple[TrackingPolicy, int]]] = defaultdict(list)
        for name, alarm in self.alarms.items():
            if self._is_due(name, alarm.every, now) and alarm.look(self._store, now):
                for action in alarm.actions:
                    group, move = self._asked(action, name, alarm, now)
                    asked[group.spec.name].append(move)
        for name, (group, policy) in self._policies.items():
            if isinstance(policy, TrackingPolicy) and self._is_due(name, policy.every, now):
                wanted = policy.wanted(self._store, self._counts(group, policy.warmup), now, late=LATE)
                tracked[group.spec.name].append((policy, wanted))
        for name in asked.keys() | tracked.keys():
            self._move(self._groups[name], asked[name], tracked[name], now)

    def states(self) -> list[dict[str, Any]]:
        """Each alarm, as DescribeAlarms has it."""
        return [
            {"AlarmName": name, "StateValue": alarm.state, "StateReason": f"{alarm.value:g}"}
            for name, alarm in self.alarms.items()
        ]

    def _is_due(self, name: str, every: float, now: float) -> bool:
        """By whole periods of the clock, as CloudWatch evaluates."""
        if now < self._due[name]:
            return False
        self._due[name] = (now // every + 1) * every
        return True

    def _asked(self, action: str, name: str, alarm: CloudWatchAlarm, now: float) -> tuple[Group, Move]:
        """What the policy of an alarm's action asks of its group."""
        group, policy = self._policies[action]
        counts = self._counts(group, policy.warmup)
        cause = f"a monitor alarm {name} in state ALARM triggered policy {action}"
        if isinstance(policy, StepPolicy):
            return group, Move(policy.wanted(alarm.value, alarm.threshold, counts), cause)
        assert isinstance(policy, SimplePolicy), f"{action} makes alarms of its own"
        wanted = policy.wanted(counts, now=now, acted_at=self._acted[group.spec.name])
        if wanted != counts.all:
            self._acted[group.spec.name] = now
        return group, Move(wanted, cause)

    def _counts(self, group: Group, warmup: float) -> Counts:
        sizes = group.sizes(warmup)
        return Counts(sizes.capacity, sizes.warming, sizes.terminating, group.spec.least, group.spec.most)

    def _move(
        self, group: Group, asked: list[Move], tracked: list[tuple[TrackingPolicy, int]], now: float
    ) -> None:
        counts = self._counts(group, 0.0)
        wanted = together(counts, [move.wanted for move in asked], tracked)
        if wanted not in (counts.all, group.desired):
            cause = next((move.cause for move in asked if move.wanted == wanted), "target tracking")
            self.moves.append((now, group.spec.name, group.desired, wanted, cause))
            group.set_desired(wanted, cause)
