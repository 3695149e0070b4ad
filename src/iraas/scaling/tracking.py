"""metric, target -> wanted capacity. Target tracking, as WE model it after AWS's documentation; pure.

How AWS computes its answer is not published. What its page "Target tracking scaling policies for Amazon EC2 Auto
Scaling" states is: it makes the alarms itself, adds in proportion to the metric as fast as it can, removes more
gradually, rounds so that there is rather too much than too little, and does not scale in on insufficient data or
while something warms up. All else here is a parameter.
"""

from __future__ import annotations

import math

import msgspec

from iraas.scaling.alarms import Alarm

ROUNDING = 1e-9  # instances: 10 x 150 / 100 must not become 16 by a last bit


class TargetTracking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hold a metric that falls in proportion to the capacity at its target. Raises `ValueError`."""

    target: float
    warmup: float = 60.0  # seconds after it came into service until an instance counts
    out_datapoints: int = 3  # above the target, one a period, before it adds; seen by users, not documented
    in_datapoints: int = 15  # below it before it removes; seen by users, not documented
    in_below: float = 0.9  # of the target: what counts as below; seen by users, not documented
    in_share: float = 1.0  # of what is too much, for one scale-in; "more gradually" is all that is documented
    disable_in: bool = False  # never remove: the page's "Disable scale in"

    def __post_init__(self) -> None:
        """Refuse what cannot work. Raises `ValueError`."""
        if not (math.isfinite(self.target) and self.target > 0):
            raise ValueError(f"target: {self.target:g} cannot be held; use more than 0")
        if not (math.isfinite(self.warmup) and self.warmup >= 0):
            raise ValueError(f"warmup: {self.warmup:g} s is not possible; use 0 or more seconds")
        for field in ("out_datapoints", "in_datapoints"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: {getattr(self, field)} are too few; use 1 or more")
        for field in ("in_below", "in_share"):
            if not 0 < getattr(self, field) <= 1:
                raise ValueError(
                    f"{field}: {getattr(self, field):g} is no share; use more than 0 and at most 1"
                )

    def alarms(self, metric: str, *, period: float = 60.0) -> tuple[Alarm, Alarm]:
        """The alarms that stand for this target: the one that adds, the one that removes."""
        out, back = self.out_datapoints, self.in_datapoints
        low = self.target * self.in_below
        return (
            Alarm(metric, self.target, ">", period=period, datapoints=out, evaluation_periods=out),
            Alarm(metric, low, "<", period=period, datapoints=back, evaluation_periods=back),
        )

    def wanted(self, value: float, *, in_service: int, minimum: int, maximum: int) -> int:
        """Instances at which the metric would be at its target, rounded up both ways: one too many, never one too few.

        `in_service`: those that the metric was measured on; with none, `value` is what one would have to bear.
        A metric that is not known changes nothing.
        """
        wanted = in_service
        if value == math.inf:
            wanted = maximum
        elif not math.isnan(value):
            wanted = max(0, math.ceil(max(1, in_service) * value / self.target - ROUNDING))
        if wanted < in_service:
            # Rounded down: "we remove just one instance" where 1.5 would be right. One at least, or it never ends.
            gone = max(1, math.floor((in_service - wanted) * self.in_share + ROUNDING))
            wanted = in_service if self.disable_in else in_service - gone
        return max(minimum, min(maximum, wanted))


def backlog_target(acceptable_wait: float, seconds_per_picture: float) -> float:
    """The backlog per instance that still meets the wait: AWS's recipe, "Scaling policy based on Amazon SQS"."""
    given = {"acceptable_wait": acceptable_wait, "seconds_per_picture": seconds_per_picture}
    for field, seconds in given.items():
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"{field}: {seconds:g} s is not possible; use more than 0 seconds")
    return acceptable_wait / seconds_per_picture
