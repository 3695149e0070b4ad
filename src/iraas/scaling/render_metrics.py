"""field of an observation -> Series: the CloudWatch metrics that tell it, and how it is reckoned from them; pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Tier = Literal["app", "web"]
Resource = dict[str, Any]  # of CloudFormation, or a part of one

NAMESPACE = "iraas"  # of our own metrics
MINUTE = 60.0  # seconds; SQS, EC2 and Auto Scaling publish no oftener
PERCENT = 100.0  # EC2 has processors in percent, and we from 0 to 1
LONGEST_EXPRESSION = 1024  # characters; MetricDataQuery, "Expression"


class Metric(NamedTuple):
    """One metric, and what tells it from others of its name."""

    namespace: str
    name: str
    dimension: str
    value: Resource  # of the dimension, as CloudFormation refers to it
    statistic: str = "Average"

    @property
    def named(self) -> Resource:
        """As alarms and target tracking name it."""
        dimensions = [{"Name": self.dimension, "Value": self.value}]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


class Series(NamedTuple):
    """A number over time: an expression, or the id of a metric. It counts only where `known` is true.

    Why `known`: the CloudWatch page "Use metric math" takes a missing value for 0 in arithmetic, and warns that FILL
    makes the newest datapoint the filler whenever a metric is late, as those of SQS are. A queue that is not known is
    no empty one: scale-in would follow from a gap, and scale-out would never see the minute that matters. So there is
    no datapoint where the metrics have none, and the alarm's own way with missing data decides, as in `decide`.
    """

    metrics: dict[str, Metric]  # by their ids in expressions
    value: str
    known: str = ""  # nothing: always

    @property
    def expression(self) -> str:
        """Of metric math, or the id alone where nothing is to be reckoned."""
        alone = self.value in self.metrics or not self.known
        return self.value if alone else f"IF({self.known},{self.value})"


def group_of(tier: Tier) -> Resource:
    """The Auto Scaling group, as the template calls it."""
    return {"Ref": "AppGroup" if tier == "app" else "WebGroup"}


def series(field: str, *, tier: Tier, period: float) -> Series:
    """What tells a field of `Observation`. Raises `ValueError` where CloudWatch has it too seldom for this period.

    `responses` is the mean of the web processes, each of which publishes the depth of its own response queue.
    """
    fine = period < MINUTE
    if fine and field in ("oldest_age", "cpu"):
        raise ValueError(
            f"period: AWS publishes {field} once a minute, and {period:g} s would mostly see nothing; use 60 or more"
        )
    one = {
        "visible": ("v", _queue("Visible", "ApproximateNumberOfMessagesVisible", fine=fine)),
        "in_flight": ("n", _queue("InFlight", "ApproximateNumberOfMessagesNotVisible", fine=fine)),
        "responses": ("r", own("Responses")),
        "oldest_age": ("a", _queue("", "ApproximateAgeOfOldestMessage", fine=False)),
        "cpu": ("c", Metric("AWS/EC2", "CPUUtilization", "AutoScalingGroupName", group_of(tier))),
    }
    if field == "backlog":  # in flight, too: scale-in on visible alone ends workers with work in hand
        both = dict(one[part] for part in ("visible", "in_flight"))
        return Series(both, "FILL(v,0)+FILL(n,0)", known(both))
    name, metric = one[field]
    return Series({name: metric}, name, known([name]))


def known(names: Iterable[str]) -> str:
    """Where all of these metrics have a datapoint; none of ours and of those that we watch is ever negative."""
    return " AND ".join(f"FILL({name},-1)>=0" for name in names)


def visible_per_worker(tier: Tier) -> Series:
    """AWS's recipe for queues; with none in service the queue is what one instance would have to bear.

    The group's metrics collection must be on. An empty group has no datapoint: hence the inner FILL.
    """
    visible = series("visible", tier=tier, period=MINUTE)
    return visible._replace(metrics={**visible.metrics, "i": in_service(tier)}, value="v/IF(FILL(i,0)>0,i,1)")


def in_service(tier: Tier) -> Metric:
    """Instances of the group that take work."""
    return Metric("AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", group_of(tier))


def own(name: str, statistic: str = "Average") -> Metric:
    """A metric that web processes publish."""
    return Metric(NAMESPACE, name, "Stack", {"Ref": "AWS::StackName"}, statistic)


def scale_of(field: str) -> float:
    """What a number of ours is to be multiplied with, to be one of CloudWatch."""
    return PERCENT if field == "cpu" else 1.0


def scaled(value: float, scale: float) -> float:
    """0.29 of the processors are 29 percent, and not 28.999999999999996."""
    return round(value * scale, 9) if scale != 1 else value


def number(value: float) -> str:
    """As metric math reads it: without an exponent."""
    return f"{Decimal(repr(float(value))).normalize():f}"


def queries(shown: Series, expression: str, *, period: float | None) -> list[Resource]:
    """`Metrics` of an alarm or of target tracking. The expression first: it is what the console shows.

    `period`: seconds; None where it stands elsewhere, as with target tracking. Raises `ValueError` when too long.
    """
    if len(expression) > LONGEST_EXPRESSION:
        raise ValueError(
            f"parts: they make an expression of {len(expression)} characters, and CloudWatch takes "
            f"{LONGEST_EXPRESSION}; combine fewer"
        )
    each = {} if period is None else {"Period": int(period)}
    return [
        {"Id": "e", "Expression": expression, "ReturnData": True},
        *(
            {
                "Id": name,
                "MetricStat": {"Metric": metric.named, **each, "Stat": metric.statistic},
                "ReturnData": False,
            }
            for name, metric in shown.metrics.items()
        ),
    ]


def _queue(ours: str, sqs: str, *, fine: bool) -> Metric:
    """The request queue's: of SQS once a minute, of our own publishing where that is too seldom."""
    if fine:
        return own(ours)
    return Metric("AWS/SQS", sqs, "QueueName", {"Fn::GetAtt": ["RequestQueue", "QueueName"]})
