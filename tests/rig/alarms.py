"""an alarm's properties, a source of metrics, the time -> its state, and whether it acts; pure.

source.datapoints ── expression ──> evaluate ──> state ── invokes ──> the policies in `actions`, with `value`
"""

from __future__ import annotations

import math

from iraas.scaling.alarms import Alarm, State, evaluate, invokes
from tests.rig.series import MetricSource, One, Properties, Reckoned, refuse_others

COMPARISONS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
SINGLE = {"Namespace", "MetricName", "Dimensions", "Statistic", "Period", "Unit"}
KNOWN = {
    *SINGLE, "Metrics", "AlarmName", "AlarmDescription", "ComparisonOperator", "Threshold", "DatapointsToAlarm",
    "EvaluationPeriods", "TreatMissingData", "AlarmActions", "ActionsEnabled", "Tags",
}  # fmt: skip


class CloudWatchAlarm:
    """An AWS::CloudWatch::Alarm. Raises `ValueError` for a property that is not known.

    `actions` are what AlarmActions became when references were resolved; `value` is the newest datapoint that is known.
    """

    def __init__(self, properties: Properties) -> None:
        refuse_others(properties, KNOWN, "AWS::CloudWatch::Alarm")
        self.watched: One | Reckoned
        if "Metrics" in properties:
            if also := sorted(SINGLE & set(properties)):
                raise ValueError(f"{', '.join(also)}: with Metrics it stands there")  # PutMetricAlarm
            self.watched = Reckoned(properties["Metrics"])
        else:
            period = float(properties["Period"])
            self.watched = One(properties, stat=properties["Statistic"], period=period)
        periods = int(properties["EvaluationPeriods"])
        self.rule = Alarm(
            metric=properties.get("MetricName", "expression"),
            threshold=float(properties["Threshold"]),
            comparison=COMPARISONS[properties["ComparisonOperator"]],  # type: ignore[arg-type]
            period=self.watched.period,
            datapoints=int(properties.get("DatapointsToAlarm", periods)),
            evaluation_periods=periods,
            missing=properties.get("TreatMissingData", "missing"),
        )
        self.actions: tuple[str, ...] = tuple(properties.get("AlarmActions", ()))
        self.enabled = bool(properties.get("ActionsEnabled", True))
        self.state: State = "INSUFFICIENT_DATA"  # PutMetricAlarm: what every alarm begins with
        self.value = math.nan
        self._invoked_at = -math.inf

    @property
    def every(self) -> float:
        """Seconds between two evaluations."""
        return self.rule.every

    @property
    def threshold(self) -> float:
        """What `value` is compared with."""
        return self.rule.threshold

    def look(self, source: MetricSource, now: float) -> bool:
        """Evaluate it; whether its actions are due: at the change to ALARM, and every minute while it stays."""
        datapoints = self.watched.datapoints(source, count=self.rule.retrieved, now=now)
        known = [point for point in datapoints if not math.isnan(point)]
        self.value = known[-1] if known else math.nan
        before, self.state = self.state, evaluate(self.rule, datapoints, self.state)
        # Half an evaluation early is on time: who ticks a hair early would else wait for the next tick.
        late = now + self.every / 2
        if not self.enabled or not invokes(self.state, before, now=late, invoked_at=self._invoked_at):
            return False
        self._invoked_at = now
        return True
