"""One metric, two alarms, steps: what CloudWatch and Auto Scaling can run by themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from iraas.scaling.alarms import Alarm, State, evaluate, invokes
from iraas.scaling.auto_scaling import SimpleScaling, StepScaling
from iraas.scaling.policy import Decision, History, Observation, Policy, keep

WORDS = {  # the fields of `Observation` that an alarm may watch
    "visible": "waiting",
    "in_flight": "in flight",
    "backlog": "waiting or in flight",
    "responses": "replies waiting",
    "oldest_age": "seconds that the oldest has waited",
    "cpu": "of the processors in use",
}
UNBOUNDED = 1_000_000  # workers; the plan's own maximum comes after


class Rule(Policy, frozen=True, forbid_unknown_fields=True):
    """An alarm for each direction, on one metric: a field of `Observation`."""

    out_when: Alarm
    in_when: Alarm

    @property
    def metric(self) -> str:
        """What both alarms watch."""
        return self.out_when.metric

    @property
    def deployable(self) -> bool:
        """CloudWatch has all of these metrics, the responses by our own publishing."""
        return True

    @property
    def every(self) -> float:
        """Seconds between two evaluations."""
        return self.out_when.every

    def __post_init__(self) -> None:
        """Refuse what would flap. Raises `ValueError`."""
        if self.metric not in WORDS or self.in_when.metric != self.metric:
            raise ValueError(
                f"out_when, in_when: they watch {self.metric} and {self.in_when.metric}; both must watch the same, "
                f"one of {', '.join(WORDS)}"
            )
        if self.out_when.comparison not in (">", ">="):
            raise ValueError(
                "out_when: its comparison must be > or >=, since more of the metric needs more workers"
            )
        if self.in_when.comparison not in ("<", "<="):
            raise ValueError(
                "in_when: its comparison must be < or <=, since less of the metric needs fewer workers"
            )
        if self.in_when.threshold > self.out_when.threshold:
            raise ValueError(
                f"in_when: its threshold {self.in_when.threshold:g} lies above the {self.out_when.threshold:g} of "
                "out_when, so that both would be in alarm at once; make it smaller"
            )
        if self.in_when.period != self.out_when.period:
            raise ValueError("in_when: its period must be that of out_when")
        for name, alarm in (("out_when", self.out_when), ("in_when", self.in_when)):
            if alarm.statistic != "Average":
                raise ValueError(
                    f"{name}: its statistic is {alarm.statistic}; give Average, which is all that a policy is shown"
                )

    def breaches(self, seen: Observation, history: History) -> tuple[float, Alarm | None]:
        """The newest datapoint, and the alarm whose action is due: the one for scale-out first.

        When one is due, the newest that is known: "Auto Scaling applies the aggregation type to the most recent metric
        data points from CloudWatch" ("Step and simple scaling policies"), and a gap is none.
        """
        look: float = getattr(seen, self.metric)
        each = max(1, round(self.out_when.period / self.every))  # looks in a period
        due, value = None, math.nan
        for name, alarm in (("in", self.in_when), ("out", self.out_when)):
            seconds = alarm.retrieved * alarm.period - self.every / 2
            looks = history.window(name, look, at=seen.time, seconds=seconds)
            before: State = history.states.get(name, "INSUFFICIENT_DATA")  # type: ignore[assignment]
            datapoints = _averages(looks, each)
            history.states[name] = now = evaluate(alarm, datapoints, before)
            if due is None:
                value = datapoints[-1] if datapoints else math.nan
            # Half an evaluation early is on time: a minute of looks may be a hair short of a minute.
            late = seen.time + self.every / 2
            if invokes(now, before, now=late, invoked_at=history.times.get(name, -math.inf)):
                history.times[name] = seen.time
                due = alarm
                value = next((point for point in reversed(datapoints) if not math.isnan(point)), math.nan)
        return value, due


class StepAlarms(Rule, frozen=True, forbid_unknown_fields=True, tag="step-alarms"):
    """Two alarms with step scaling. What warms up is not current capacity, so that a higher step adds the difference.

    AWS: "Step and simple scaling policies for Amazon EC2 Auto Scaling"; `alarms.invokes` says how often they act.
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
            measured,
            alarm.threshold,
            capacity=seen.in_service,
            warming=seen.starting,
            terminating=seen.terminating,
            minimum=0,
            maximum=UNBOUNDED,
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
        if not scaling.may_act(seen.time, history.times.get("acted", -math.inf)):
            return keep(seen, "cooling down since the last change")
        wanted = scaling.adjust(capacity=seen.capacity, minimum=0, maximum=UNBOUNDED)
        decision = _change(seen, wanted, self.metric, value, alarm)
        if decision.capacity != seen.capacity:
            history.times["acted"] = seen.time
        return decision


def _averages(looks: Sequence[float], each: int) -> list[float]:
    """Looks -> datapoints of so many looks, the newest last; NaN where nothing was known in a whole period."""
    if each == 1:
        return list(looks)
    datapoints = []
    for end in range(len(looks), each - 1, -each):
        known = [look for look in looks[end - each : end] if not math.isnan(look)]
        datapoints.append(math.fsum(known) / len(known) if known else math.nan)
    return datapoints[::-1]


def _quiet(metric: str, value: float) -> str:
    shown = "unknown" if math.isnan(value) else f"{value:.3g}"
    return f"no alarm: {shown} {WORDS[metric]}"


def _change(seen: Observation, wanted: int, metric: str, value: float, alarm: Alarm) -> Decision:
    change = wanted - seen.capacity
    verb = f"added {change}" if change > 0 else f"removed {-change}" if change < 0 else "kept"
    shown = "unknown" if math.isnan(value) else f"{value:.3g}"
    return Decision(wanted, f"{verb}: {shown} {WORDS[metric]} is {alarm.comparison} {alarm.threshold:g}")
