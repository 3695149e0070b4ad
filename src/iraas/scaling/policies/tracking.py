"""Target tracking as AWS does it: on the backlog per worker, or on the processors."""

from __future__ import annotations

import math
from typing import Literal

from iraas.scaling.alarms import HIGH_RESOLUTION
from iraas.scaling.policies.steps import UNBOUNDED
from iraas.scaling.policy import Decision, History, Observation, Policy, keep
from iraas.scaling.tracking import TargetTracking

MINUTE = 60.0  # seconds


class Tracking(Policy, frozen=True, forbid_unknown_fields=True, tag="target-tracking"):
    """Hold a metric at its target. `visible_per_worker` is AWS's recipe for queues.

    AWS: "Scaling policy based on Amazon SQS": target = acceptable wait / seconds per picture, the metric being the
    visible messages divided by the instances in service. It has no memory of the load: an empty queue means scale-in.
    """

    metric: Literal["visible_per_worker", "cpu"]
    tracking: TargetTracking
    period: float = MINUTE

    def __post_init__(self) -> None:
        """Refuse a period that no alarm has. Raises `ValueError`."""
        if self.period not in HIGH_RESOLUTION and (self.period < MINUTE or self.period % MINUTE):
            raise ValueError(f"period: {self.period:g} s is not possible; use 10, 20, 30 or a multiple of 60")

    @property
    def title(self) -> str:
        """A few words, for tables."""
        return "tracks " + self.metric.replace("_", " ")

    @property
    def deployable(self) -> bool:
        """CloudWatch can divide one metric by another."""
        return True

    @property
    def every(self) -> float:
        """A datapoint a period."""
        return self.period

    def decide(self, seen: Observation, history: History) -> Decision:
        """Compare the last datapoints with the target."""
        value = seen.cpu if self.metric == "cpu" else seen.visible / max(1, seen.in_service)
        if math.isnan(value):
            return keep(seen, f"kept: {self.metric} is not known")
        rule = self.tracking
        most = max(rule.out_datapoints, rule.in_datapoints)
        recent = history.window(self.metric, value, at=seen.time, seconds=(most - 0.5) * self.period)
        above = recent[-rule.out_datapoints :]
        below = recent[-rule.in_datapoints :]
        target = f"{self.metric.replace('_', ' ')} is {value:.3g}, target {rule.target:g}"
        if len(above) == rule.out_datapoints and min(above) > rule.target:
            wanted = max(seen.capacity, self._wanted(value, seen))
            if wanted == seen.capacity:
                return keep(seen, f"kept: {target}, and enough are starting")
            return Decision(wanted, f"added {wanted - seen.capacity}: {target}")
        if rule.disable_in or len(below) < rule.in_datapoints or max(below) >= rule.in_below * rule.target:
            return keep(seen, f"kept: {target}")
        if seen.starting:
            return keep(seen, f"{seen.starting} still warming up: no scale-in meanwhile")
        wanted = min(seen.capacity, self._wanted(value, seen))
        if wanted == seen.capacity:
            return keep(seen, f"kept: {target}")
        return Decision(wanted, f"removed {seen.capacity - wanted}: {target}")

    def _wanted(self, value: float, seen: Observation) -> int:
        return self.tracking.wanted(value, in_service=max(1, seen.in_service), minimum=0, maximum=UNBOUNDED)
