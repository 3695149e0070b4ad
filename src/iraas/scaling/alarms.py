"""Alarm, datapoints, state -> state. A CloudWatch alarm on one metric; pure.

The sources are pages of the Amazon CloudWatch User Guide; each rule names its page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from iraas.scaling.metrics import Statistic

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Comparison = Literal[">", ">=", "<", "<="]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

HIGH_RESOLUTION = (10.0, 20.0, 30.0)  # seconds; PutMetricAlarm, "Period": these, or a multiple of 60
# PutMetricAlarm, "Period": how far back an alarm may look, with periods shorter than an hour, and with longer ones.
LONGEST = 86_400.0  # seconds, period x evaluation periods
LONGEST_OF_HOURS = 604_800.0

# "Configuring how CloudWatch alarms treat missing data": more datapoints are retrieved than there are evaluation
# periods. The number is not stated; the page's own examples retrieve 5 for 3.
EXTRA_DATAPOINTS = 2

# "Using Amazon CloudWatch alarms": actions follow changes of state, but an Auto Scaling action is invoked again once a
# minute as long as the alarm stays in its new state (older editions of the page say: every period).
ACTION_REPEATED = 60.0  # seconds


class Alarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When `datapoints` of the last `evaluation_periods` periods breach the threshold. Raises `ValueError`."""

    metric: str
    threshold: float
    comparison: Comparison
    statistic: Statistic = "Average"
    period: float = 60.0  # seconds
    datapoints: int = 1  # M: so many must breach
    evaluation_periods: int = 1  # N: of so many
    missing: Missing = "missing"  # what a period without data counts as

    def __post_init__(self) -> None:
        """Refuse what CloudWatch would refuse. Raises `ValueError`."""
        if not math.isfinite(self.threshold):
            raise ValueError(f"threshold: {self.threshold} is nothing to compare with; give a finite number")
        for field, choices in (("comparison", Comparison), ("statistic", Statistic), ("missing", Missing)):
            given, allowed = getattr(self, field), get_args(choices)
            if given not in allowed:
                raise ValueError(f"{field}: {given!r} is not known; use one of {', '.join(allowed)}")
        if self.period not in HIGH_RESOLUTION and (self.period < 60 or self.period % 60):
            raise ValueError(f"period: {self.period:g} s is not possible; use 10, 20, 30 or a multiple of 60")
        if not 1 <= self.datapoints <= self.evaluation_periods:
            raise ValueError(
                f"datapoints: {self.datapoints} of {self.evaluation_periods} evaluation_periods cannot be; "
                "use at least 1 and at most evaluation_periods"
            )
        longest = LONGEST if self.period < 3600 else LONGEST_OF_HOURS
        if self.period * self.evaluation_periods > longest:
            raise ValueError(
                f"evaluation_periods: {self.evaluation_periods} of {self.period:g} s look back further than the "
                f"{longest:g} s that CloudWatch allows; use fewer"
            )

    @property
    def retrieved(self) -> int:
        """Datapoints that CloudWatch looks at: its evaluation range."""
        return self.evaluation_periods + EXTRA_DATAPOINTS

    @property
    def every(self) -> float:
        """Seconds between two evaluations.

        "Using Amazon CloudWatch alarms": alarms on periods of seconds are evaluated every 10 s, others once a minute.
        """
        return 10.0 if self.period in HIGH_RESOLUTION else 60.0

    def breaches(self, value: float) -> bool:
        """Whether one datapoint violates the threshold; a missing one (NaN) does not."""
        if self.comparison == ">":
            return value > self.threshold
        if self.comparison == ">=":
            return value >= self.threshold
        if self.comparison == "<":
            return value < self.threshold
        return value <= self.threshold


def evaluate(alarm: Alarm, datapoints: Sequence[float], state: State) -> State:
    """The alarm's next state. `datapoints`: the newest `alarm.retrieved` periods, oldest first, NaN for a missing one.

    Fewer are as good as missing ones before the first; more are not looked at, so that the evaluation range is always
    `retrieved`. The rules and their order are those of "Configuring how CloudWatch alarms treat missing data".
    """
    seen = datapoints[-alarm.retrieved :]
    real = [value for value in seen if not math.isnan(value)]
    if len(real) >= alarm.evaluation_periods:
        # Enough real datapoints: the newest N of them decide, and the way to treat missing ones is not asked.
        real = real[-alarm.evaluation_periods :]
        return "ALARM" if sum(map(alarm.breaches, real)) >= alarm.datapoints else "OK"
    breaching = sum(map(alarm.breaches, real))
    if alarm.missing == "breaching":
        breaching += alarm.evaluation_periods - len(real)  # as few as possible are filled in
    if breaching >= alarm.datapoints:
        return "ALARM"
    if alarm.missing in ("breaching", "notBreaching") or breaching < len(real):
        return "OK"
    if alarm.missing == "ignore":
        return state
    return "INSUFFICIENT_DATA" if not real else _premature(alarm, seen, state)


def _premature(alarm: Alarm, seen: Sequence[float], state: State) -> State:
    """All that is known breaches, and it is less than M datapoints: is it old enough to be believed?

    The page's section "Avoiding premature transitions to alarm state": yes, when the oldest is at least as old as M.
    It does not say what a younger one gives, only that it is not the state ALARM yet: we keep the state.
    """
    age = next(len(seen) - place for place, value in enumerate(seen) if not math.isnan(value))
    return "ALARM" if age >= alarm.datapoints else state


def invokes(state: State, before: State, *, now: float, invoked_at: float) -> bool:
    """Whether an alarm whose action is a scaling policy invokes it now, `invoked_at` being the last time it did."""
    if state != "ALARM":
        return False
    return before != "ALARM" or not 0 <= now - invoked_at < ACTION_REPEATED
