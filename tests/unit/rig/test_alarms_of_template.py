"""tests.rig.alarms and .series: an alarm's properties, and when it acts."""

from __future__ import annotations

import math

import pytest
from tests.rig.alarms import CloudWatchAlarm

NAN = math.nan
SINGLE = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Dimensions": [{"Name": "QueueName", "Value": "s-requests"}],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 100,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "AlarmActions": ["policy"],
}


def stat(name, *, period=60, metric="ApproximateNumberOfMessagesVisible", **fields):
    """An entry of Metrics."""
    of = {"Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": SINGLE["Dimensions"]}
    return {
        "Id": name,
        "MetricStat": {"Metric": of, "Period": period, "Stat": "Average"},
        "ReturnData": False,
        **fields,
    }


def several(*queries):
    """An alarm on these."""
    whole = {key: value for key, value in SINGLE.items() if key not in (
        "Namespace", "MetricName", "Dimensions", "Statistic", "Period")}  # fmt: skip
    return {**whole, "Metrics": list(queries)}


class Told:
    """A source that shows what it is told, and notes what it is asked."""

    def __init__(self, **rows):
        self.rows = rows
        self.asked = []

    def datapoints(self, namespace, name, dimensions, *, stat, period, count, now):
        self.asked.append((namespace, name, dict(dimensions), stat, period, now))
        row = self.rows[name] if name in self.rows else self.rows["visible"]
        return [NAN] * (count - len(row)) + row[-count:]


def test_asks_for_its_own_metric():
    """Namespace, name, dimensions, statistic and period are those of the template, the time is the caller's."""
    alarm, source = CloudWatchAlarm(SINGLE), Told(visible=[150.0])
    assert alarm.state == "INSUFFICIENT_DATA"
    assert alarm.look(source, 1000.0)
    assert source.asked == [
        (
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": "s-requests"},
            "Average",
            60.0,
            1000.0,
        )
    ]
    assert (alarm.state, alarm.value, alarm.threshold, alarm.actions) == ("ALARM", 150.0, 100.0, ("policy",))


def test_acts_at_the_change_and_then_once_a_minute():
    """Also when it is looked at more often, and when a look comes a hair early."""
    alarm, source = CloudWatchAlarm({**SINGLE, "Period": 10}), Told(visible=[150.0])
    assert alarm.every == 10.0
    assert [alarm.look(source, 9.999 * look) for look in range(13)] == [look % 6 == 0 for look in range(13)]
    source.rows["visible"] = [50.0]
    assert not alarm.look(source, 130.0)
    assert alarm.state == "OK"
    source.rows["visible"] = [150.0]
    assert alarm.look(source, 140.0)


def test_an_alarm_without_enabled_actions_does_nothing():
    """It has its state all the same."""
    alarm = CloudWatchAlarm({**SINGLE, "ActionsEnabled": False})
    assert not alarm.look(Told(visible=[150.0]), 0.0)
    assert alarm.state == "ALARM"


@pytest.mark.parametrize(
    ("missing", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "ALARM")],
)
def test_treats_missing_data_as_it_says(missing, state):
    """After an alarm, when nothing more is published."""
    alarm, source = CloudWatchAlarm({**SINGLE, "TreatMissingData": missing}), Told(visible=[150.0])
    alarm.look(source, 0.0)
    source.rows["visible"] = [NAN] * 9
    alarm.look(source, 60.0)
    assert alarm.state == state
    assert math.isnan(alarm.value)


def test_so_many_of_so_many():
    """Two of three; without DatapointsToAlarm all of them. The value is the newest that is known."""
    two = CloudWatchAlarm({**SINGLE, "EvaluationPeriods": 3, "DatapointsToAlarm": 2})
    all_of_them = CloudWatchAlarm({**SINGLE, "EvaluationPeriods": 3})
    source = Told(visible=[150.0, 160.0, 50.0, NAN])
    assert two.look(source, 0.0)
    assert two.value == 50.0
    assert not all_of_them.look(source, 0.0)


def test_an_expression_over_metrics_and_expressions():
    """In any order; only the one that returns data is looked at."""
    alarm = CloudWatchAlarm(
        several(
            {"Id": "e", "Expression": "b * 2"},
            {"Id": "b", "Expression": "v + n", "ReturnData": False},
            stat("v"),
            stat("n", metric="ApproximateNumberOfMessagesNotVisible"),
        )
    )
    source = Told(visible=[30.0], ApproximateNumberOfMessagesNotVisible=[20.0])
    assert alarm.look(source, 0.0)
    assert alarm.value == 100.0


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({**SINGLE, "ThresholdMetricId": "t"}, "ThresholdMetricId is not known to the rig"),
        ({**SINGLE, "OKActions": ["x"]}, "OKActions is not known to the rig"),
        ({**SINGLE, "Period": 45}, "period: 45 s is not possible"),
        ({**several(stat("v", ReturnData=True)), "Period": 60}, "Period: with Metrics it stands there"),
        (several(stat("v")), "exactly one must return data, and none does"),
        (
            several(stat("v", ReturnData=True), stat("n", ReturnData=True)),
            "exactly one must return data, and v, n",
        ),
        (several(stat("v", ReturnData=True), stat("n", period=300)), "all must have the same period"),
        (
            several(stat("v", ReturnData=True), stat("v")),
            "'v' must begin with a small letter, and be there once",
        ),
        (several(stat("V", ReturnData=True)), "'V' must begin with a small letter"),
        (several(stat("v", AccountId="1", ReturnData=True)), "AccountId is not known to the rig"),
        (
            {**SINGLE, "Dimensions": [{"Name": "QueueName", "Value": {"Ref": "Q"}}]},
            "QueueName is {'Ref': 'Q'}, and not",
        ),
    ],
)
def test_refuses_what_it_does_not_know(properties, says):
    """A property that the rig would silently drop is worse than an error."""
    with pytest.raises(ValueError, match=says):
        CloudWatchAlarm(properties)


def test_expressions_that_need_one_another_are_refused():
    """They would never be reckoned."""
    alarm = CloudWatchAlarm(
        several(
            {"Id": "e", "Expression": "f + v"},
            {"Id": "f", "Expression": "e + v", "ReturnData": False},
            stat("v"),
        )
    )
    with pytest.raises(ValueError, match="e, f need one another"):
        alarm.look(Told(visible=[1.0]), 0.0)
