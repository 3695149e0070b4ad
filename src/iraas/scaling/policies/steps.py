"""One metric, two alarms, steps: what CloudWatch and Auto Scaling can run by themselves."""

from __future__ import annotations

import math
from typing import Literal

from iraas.scaling.alarms import Alarm, State, evaluate
from iraas.scaling.auto_scaling import SimpleScaling, StepScaling
from iraas.scaling.policy import Decision, History, Observation, Policy, keep

Metric = Literal["visible", "in_flight", "backlog", "responses", "oldest_age", "cpu"]
WORDS = {
    "visible": "waiting",
    "in_flight": "in flight",
    "backlog": "waiting or in flight",
    "responses": "replies waiting",
    "oldest_age": "seconds that the oldest has waited",
    "cpu": "of the processors in use",
}
UNBOUNDED = 1_000_000  # workers; the plan's own maximum comes after


class Rule(Policy, frozen=True, forbid_unknown_fields=True):
    """An alarm and what it does, one for each direction. `metric` is a field of `Observation`."""

    metric: Metric
    out_when: Alarm
    in_when: Alarm

    @property
    def deployable(self) -> bool:
        """CloudWatch has all of these metrics, the responses by our own publishing."""
        return True

    @property
    def every(self) -> float:
        """An alarm is evaluated once a period."""
        return self.out_when.period

    def __post_init__(self) -> None:
        """Refuse what would flap. Raises `ValueError`."""
        if self.out_when.comparison not in (">", ">="):
            raise ValueError("out_when: its comparison must be > or >=, since more of the metric needs more workers")
        if self.in_when.comparison not in ("<", "<="):
            raise ValueError("in_when: its comparison must be < or <=, since less of the metric needs fewer workers")
        if self.in_when.threshold > self.out_when.threshold:
            raise ValueError(
                f"in_when: its threshold {self.in_when.threshold:g} lies above the {self.out_when.threshold:g} of out_when, "
                "so that both would be in alarm at once; make it smaller"
            )
        if self.in_when.period != self.out_when.period:
            raise ValueError("in_when: its period must be that of out_when")

    def breaches(self, seen: Observation, history: History) -> tuple[float, Alarm | None]:
        """The newest datapoint, and the alarm that is in alarm: the one for scale-out first."""
        value: float = getattr(seen, self.metric)
        found = None
        for name, alarm in (("in", self.in_when), ("out", self.out_when)):
            seconds = alarm.evaluation_periods * alarm.period
            datapoints = history.window(name, value, at=seen.time, seconds=seconds - alarm.period / 2)
            before: State = history.states.get(name, "INSUFFICIENT_DATA")  # type: ignore[assignment]
            history.states[name] = now = evaluate(alarm, datapoints, before)
            if now == "ALARM":
                found = alarm
        return value, found


class StepAlarms(Rule, frozen=True, forbid_unknown_fields=True, tag="step-alarms"):
    """Two alarms with step scaling. What warms up is not current capacity, so that a higher step adds the difference.

    AWS: "Step and simple scaling policies for Amazon EC2 Auto Scaling". The action is repeated each period in alarm.
    """

    out: StepScaling
    back: StepScaling

    @property
    def title(self) -> str:
        """A few words, for tables."""
        return f"steps on {self.metric.replace('_', ' ')}"

    def decide(self, seen: Observation, history: History) -> Decision:
        """Evaluate the alarms, and do what the steps say."""
        value, alarm = self.breaches(seen, history)
        if alarm is None:
            return keep(seen, _quiet(self.metric, value))
        if alarm is self.in_when and seen.starting:
            return keep(seen, f"{seen.starting} still warming up: no scale-in meanwhile")
        scaling = self.out if alarm is self.out_when else self.back
        measured = alarm.threshold if math.isnan(value) else value  # missing data that counts as breaching
        wanted = scaling.adjust(
            measured, alarm.threshold, capacity=seen.in_service, warming=seen.starting, minimum=0, maximum=UNBOUNDED
        )
        wanted = max(wanted, seen.capacity) if alarm is self.out_when else min(wanted, seen.capacity)
        return _change(seen, wanted, self.metric, value, alarm)


class SimpleAlarms(Rule, frozen=True, forbid_unknown_fields=True, tag="simple-alarms"):
    """Two alarms with one adjustment each, and a cooldown in which nothing else happens.

    AWS: "Scaling cooldowns for Amazon EC2 Auto Scaling"; the cooldown begins when the instances are launched.
    """

    out: SimpleScaling
    back: SimpleScaling

    @property
    def title(self) -> str:
        """A few words, for tables."""
        return f"cooldown on {self.metric.replace('_', ' ')}"

    def decide(self, seen: Observation, history: History) -> Decision:
        """Evaluate the alarms, and act unless cooling down."""
        value, alarm = self.breaches(seen, history)
        if alarm is None:
            return keep(seen, _quiet(self.metric, value))
        scaling = self.out if alarm is self.out_when else self.back
        if not scaling.may_act(seen.time, history.acted_at):
            return keep(seen, "cooling down since the last change")
        wanted = scaling.adjust(capacity=seen.capacity, minimum=0, maximum=UNBOUNDED)
        decision = _change(seen, wanted, self.metric, value, alarm)
        if decision.capacity != seen.capacity:
            history.acted_at = seen.time
        return decision


def _quiet(metric: Metric, value: float) -> str:
    shown = "unknown" if math.isnan(value) else f"{value:.3g}"
    return f"no alarm: {shown} {WORDS[metric]}"


def _change(seen: Observation, wanted: int, metric: Metric, value: float, alarm: Alarm) -> Decision:
    change = wanted - seen.capacity
    verb = f"added {change}" if change > 0 else f"removed {-change}" if change < 0 else "kept"
    shown = "unknown" if math.isnan(value) else f"{value:.3g}"
    return Decision(wanted, f"{verb}: {shown} {WORDS[metric]} is {alarm.comparison} {alarm.threshold:g}")
