"""alarm's value, capacity -> wanted capacity. Step and simple scaling as EC2 Auto Scaling does them; pure.

The sources are pages of the Amazon EC2 Auto Scaling User Guide; each rule names its page.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal, get_args

import msgspec

Adjustment = Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"]
COOLDOWN = 300.0  # seconds; "Scaling cooldowns for Amazon EC2 Auto Scaling": the default


def rounded(change: float) -> int:
    """Instances for a share of them.

    "Step and simple scaling policies": beyond 1 and -1 towards zero; anything between them and zero is one instance.
    """
    if change == 0 or abs(change) > 1:
        return math.trunc(change)
    return 1 if change > 0 else -1


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do when the metric lies between two bounds, given relative to the alarm's threshold."""

    lower: float | None = None  # None: no bound
    upper: float | None = None
    change: float = math.nan  # instances, or percent; a file that leaves it out is refused

    def __post_init__(self) -> None:
        """Refuse what Auto Scaling would refuse. Raises `ValueError`."""
        if not math.isfinite(self.change):
            raise ValueError(f"change: the step {self} has none; say how many instances, or percent")
        if self.lower is None and self.upper is None:
            raise ValueError(f"lower, upper: the step {self} has neither; give at least one bound")
        if not self.low < self.high or math.inf in (self.low, -self.high):
            raise ValueError(
                f"lower: the step {self} is empty; make its lower bound smaller than its upper one"
            )

    def __str__(self) -> str:
        """As the interval that it is."""
        return f"[{self.low:g}, {self.high:g})"

    @property
    def low(self) -> float:
        """The lower bound as a number."""
        return -math.inf if self.lower is None else self.lower

    @property
    def high(self) -> float:
        """The upper bound as a number."""
        return math.inf if self.upper is None else self.upper


def _check(adjustment: str, changes: list[float], minimum_magnitude: int) -> None:
    """What step and simple scaling refuse alike."""
    if adjustment not in get_args(Adjustment):
        kinds = ", ".join(get_args(Adjustment))
        raise ValueError(f"adjustment: {adjustment!r} is not known; use one of {kinds}")
    if minimum_magnitude < 0:
        raise ValueError(f"minimum_magnitude: {minimum_magnitude} is below zero; use 0 or more instances")
    if adjustment == "PercentChangeInCapacity":
        return
    if minimum_magnitude:
        raise ValueError(f"minimum_magnitude: {adjustment} has none; leave it out, or change by percent")
    for change in changes:
        if change != math.trunc(change):
            raise ValueError(f"change: {change:g} is no number of instances; use a whole one")
        if change < 0 and adjustment == "ExactCapacity":
            raise ValueError(f"change: a group cannot have {change:g} instances; use 0 or more")


def _target(adjustment: str, change: float, minimum_magnitude: int, current: int) -> int:
    """What the group should have, from what it has."""
    if adjustment == "ExactCapacity":
        return int(change)
    if adjustment == "ChangeInCapacity":
        return current + int(change)
    instances = rounded(change * current / 100)
    if change > 0:
        instances = max(instances, minimum_magnitude)  # also out of zero, where no percentage leads
    elif change < 0:
        instances = min(instances, -minimum_magnitude)
    return current + instances


class StepScaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Step scaling: the further the metric is from the threshold, the larger the change. Raises `ValueError`."""

    steps: tuple[Step, ...]
    adjustment: Adjustment = "ChangeInCapacity"
    minimum_magnitude: int = 0  # instances that a percentage changes at least
    warmup: float = 60.0  # seconds after it came into service until an instance counts

    def __post_init__(self) -> None:
        """Refuse what Auto Scaling would refuse ("Step and simple scaling policies"). Raises `ValueError`."""
        if not self.steps:
            raise ValueError("steps: there are none; give at least one")
        if not (math.isfinite(self.warmup) and self.warmup >= 0):
            raise ValueError(f"warmup: {self.warmup:g} s is not possible; use 0 or more seconds")
        _check(self.adjustment, [step.change for step in self.steps], self.minimum_magnitude)
        ordered = sorted(self.steps, key=lambda step: step.low)
        for one, next_one in pairwise(ordered):
            if one.high != next_one.low:
                what = "overlap" if one.high > next_one.low else "leave a gap"
                raise ValueError(f"steps: {one} and {next_one} {what}; begin each where the last one ends")
        if ordered[0].lower is not None and ordered[0].lower < 0:
            raise ValueError(
                f"steps: nothing is below {ordered[0]}; leave its lower bound out, or add a step"
            )
        if ordered[-1].upper is not None and ordered[-1].upper > 0:
            raise ValueError(
                f"steps: nothing is above {ordered[-1]}; leave its upper bound out, or add a step"
            )

    def step(self, difference: float) -> Step | None:
        """The step for a metric that lies `difference` above the threshold.

        The page: above the threshold the lower bound is inclusive and the upper one exclusive; below it the other
        way round.
        """
        if difference >= 0:
            for step in self.steps:
                if step.low <= difference < step.high or step.low < difference == step.high == math.inf:
                    return step
        if difference <= 0:
            for step in self.steps:
                if step.low < difference <= step.high or step.high > difference == step.low == -math.inf:
                    return step
        return None

    def adjust(
        self,
        value: float,
        threshold: float,
        *,
        capacity: int,
        warming: int = 0,
        terminating: int = 0,
        minimum: int,
        maximum: int,
    ) -> int:
        """How many instances the group should have, warming ones counted in and terminating ones not.

        `capacity`: in service and warm. The page's section on warm-up: on the way out, warming instances are no current
        capacity, so that the same step asked for twice adds once, and a larger one only what is missing; on the way in,
        terminating ones still are, so that no more go than were meant to, and nothing goes while something warms up.
        """
        have = capacity + warming
        step = self.step(value - threshold)
        wanted = have
        if step is not None:
            target = _target(self.adjustment, step.change, self.minimum_magnitude, capacity)
            if target > capacity:
                wanted = max(have, target)
            elif not warming:
                current = capacity + terminating
                wanted = min(have, _target(self.adjustment, step.change, self.minimum_magnitude, current))
        return max(minimum, min(maximum, wanted))


class SimpleScaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Simple scaling: one adjustment, then a cooldown in which nothing more happens. Raises `ValueError`."""

    change: float
    adjustment: Adjustment = "ChangeInCapacity"
    minimum_magnitude: int = 0
    cooldown: float = COOLDOWN  # seconds

    def __post_init__(self) -> None:
        """Refuse what Auto Scaling would refuse. Raises `ValueError`."""
        if not math.isfinite(self.change):
            raise ValueError("change: it is not finite; say how many instances, or percent")
        if not (math.isfinite(self.cooldown) and self.cooldown >= 0):
            raise ValueError(f"cooldown: {self.cooldown:g} s is not possible; use 0 or more seconds")
        _check(self.adjustment, [self.change], self.minimum_magnitude)

    def may_act(self, now: float, acted_at: float) -> bool:
        """Whether the cooldown is over.

        "Scaling cooldowns for Amazon EC2 Auto Scaling": it begins when the last instance of the last activity has been
        launched or has ended, which is what `acted_at` should be. A clock that went back ends it.
        """
        return not 0 <= now - acted_at < self.cooldown

    def adjust(self, *, capacity: int, minimum: int, maximum: int) -> int:
        """How many instances the group should have. Nothing warms up here: the cooldown stands for it."""
        wanted = _target(self.adjustment, self.change, self.minimum_magnitude, capacity)
        return max(minimum, min(maximum, wanted))
