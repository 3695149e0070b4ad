"""iraas.scaling.render: plans as CloudFormation has them."""

from __future__ import annotations

import pytest
from tests.unit.scaling.plans import POLICIES, simple_alarms, step_alarms, tracking

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.plan import Plan, read_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import StepAlarms
from iraas.scaling.render import default_app_plan, default_web_plan, policy_text, render

STARVED = {"AppStarvedAlarm", "AppStarvedPolicy"}
QUEUE = [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["RequestQueue", "QueueName"]}}]
OURS = [{"Name": "Stack", "Value": {"Ref": "AWS::StackName"}}]
CPU_STEPS = StepAlarms(
    out_when=Alarm("cpu", 0.57, ">=", datapoints=2, evaluation_periods=3, missing="ignore"),
    in_when=Alarm("cpu", 0.29, "<="),
    out=StepScaling(
        steps=(Step(0, 0.07, 10), Step(0.07, None, 30)),
        adjustment="PercentChangeInCapacity",
        minimum_magnitude=2,
        warmup=90.5,
    ),
    back=StepScaling(steps=(Step(None, 0, -10),), adjustment="PercentChangeInCapacity"),
)


def rendered(policy, tier="app", minimum=0, maximum=10):
    return render(Plan(minimum=minimum, maximum=maximum, policy=policy), tier=tier)


def properties(policy, name, **fields):
    """Of one resource."""
    return rendered(policy, **fields)[name]["Properties"]


def expressions(alarm):
    """By id: what is reckoned, and from which metrics."""
    found = {}
    for query in alarm["Metrics"]:
        stat = query.get("MetricStat")
        found[query["Id"]] = query["Expression"] if stat is None else stat["Metric"]["MetricName"]
    return found


def test_an_alarm_and_a_policy_each_way():
    """On SQS's own metric, with the alarm's and the steps' numbers."""
    resources = rendered(step_alarms(missing="notBreaching"))
    assert set(resources) == {"AppOutAlarm", "AppOutPolicy", "AppInAlarm", "AppInPolicy"} | STARVED
    assert resources["AppOutAlarm"] == {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": "Scale out: visible >= 100",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": QUEUE,
            "Statistic": "Average",
            "Period": 60,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 100.0,
            "DatapointsToAlarm": 1,
            "EvaluationPeriods": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AppOutPolicy"}],
        },
    }
    assert resources["AppOutPolicy"] == {
        "Type": "AWS::AutoScaling::ScalingPolicy",
        "Properties": {
            "AutoScalingGroupName": {"Ref": "AppGroup"},
            "PolicyType": "StepScaling",
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "EstimatedInstanceWarmup": 60,
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 100.0, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 100.0, "ScalingAdjustment": 3},
            ],
        },
    }
    assert resources["AppInAlarm"]["Properties"]["ComparisonOperator"] == "LessThanThreshold"
    assert resources["AppInPolicy"]["Properties"]["StepAdjustments"] == [
        {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1}
    ]


@pytest.mark.parametrize(
    ("metric", "period", "namespace", "name", "dimensions"),
    [
        ("in_flight", 60, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QUEUE),
        ("oldest_age", 300, "AWS/SQS", "ApproximateAgeOfOldestMessage", QUEUE),
        ("visible", 10, "iraas", "Visible", OURS),
        ("in_flight", 30, "iraas", "InFlight", OURS),
        ("responses", 60, "iraas", "Responses", OURS),
        ("responses", 10, "iraas", "Responses", OURS),
    ],
)
def test_each_field_has_its_metric(metric, period, namespace, name, dimensions):
    """SQS's own, once a minute; ours, where that is too seldom."""
    alarm = properties(step_alarms(metric, period=float(period)), "AppOutAlarm")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"]) == (namespace, name, dimensions)
    assert alarm["Period"] == period


def test_processors_are_percent_there():
    """Threshold and bounds, and to the letter: 0.57 is 57 and not 56.99999999999999."""
    alarm, policy = (properties(CPU_STEPS, name, tier="web") for name in ("WebOutAlarm", "WebOutPolicy"))
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/EC2", "CPUUtilization")
    assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": {"Ref": "WebGroup"}}]
    assert (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (57.0, 2, 3)
    assert alarm["TreatMissingData"] == "ignore"
    assert properties(CPU_STEPS, "WebInAlarm", tier="web")["Threshold"] == 29.0
    assert policy["StepAdjustments"][0]["MetricIntervalUpperBound"] == 7.0
    assert (policy["AdjustmentType"], policy["MinAdjustmentMagnitude"]) == ("PercentChangeInCapacity", 2)
    assert policy["EstimatedInstanceWarmup"] == 91


@pytest.mark.parametrize(("period", "names"), [(60.0, None), (10.0, {"v": "Visible", "n": "InFlight"})])
def test_a_backlog_is_visible_and_in_flight_both_ways(period, names):
    """Scale-in on visible alone would end workers with work in hand; what is not known is no empty queue."""
    names = names or {
        "v": "ApproximateNumberOfMessagesVisible",
        "n": "ApproximateNumberOfMessagesNotVisible",
    }
    for direction in ("Out", "In"):
        alarm = properties(step_alarms("backlog", period=period), f"App{direction}Alarm")
        assert expressions(alarm) == {
            "e": "IF(FILL(v,-1)>=0 AND FILL(n,-1)>=0,FILL(v,0)+FILL(n,0))",
            **names,
        }
        assert not {"Namespace", "MetricName", "Period", "Statistic"} & set(alarm)
        assert [query["ReturnData"] for query in alarm["Metrics"]] == [True, False, False]


def test_a_cooldown_is_simple_scaling():
    """CloudFormation has its seconds as text, and its change is a whole number."""
    policy = properties(simple_alarms(), "AppOutPolicy")
    assert policy == {
        "AutoScalingGroupName": {"Ref": "AppGroup"},
        "PolicyType": "SimpleScaling",
        "AdjustmentType": "ChangeInCapacity",
        "ScalingAdjustment": 2,
        "Cooldown": "300",
    }


def test_target_tracking_on_the_queue_divides_by_the_instances_in_service():
    """And by one where there is none, or the group does not say."""
    resources = rendered(tracking(target=25.0, warmup=30.0))
    assert set(resources) == {"AppTracking"} | STARVED
    policy = resources["AppTracking"]["Properties"]
    configuration = policy["TargetTrackingConfiguration"]
    assert (policy["PolicyType"], policy["EstimatedInstanceWarmup"]) == ("TargetTrackingScaling", 30)
    assert (configuration["TargetValue"], configuration["DisableScaleIn"]) == (25.0, False)
    specification = configuration["CustomizedMetricSpecification"]
    assert expressions(specification) == {
        "e": "IF(FILL(v,-1)>=0,v/IF(FILL(i,0)>0,i,1))",
        "v": "ApproximateNumberOfMessagesVisible",
        "i": "GroupInServiceInstances",
    }


def test_target_tracking_on_processors():
    """In percent."""
    configuration = properties(tracking("cpu", 0.55, disable_in=True), "AppTracking")[
        "TargetTrackingConfiguration"
    ]
    assert (configuration["TargetValue"], configuration["DisableScaleIn"]) == (55.0, True)
    assert configuration["CustomizedMetricSpecification"]["MetricName"] == "CPUUtilization"


def test_the_default_plans():
    """Ours from zero, which the controller runs; processors and replies for the web tier, which nobody has to run."""
    app, web = default_app_plan(), default_web_plan()
    assert app == Plan(minimum=0, maximum=10, policy=Staffing())
    assert (web.minimum, web.maximum, web.policy.deployable) == (2, 6, True)
    assert set(render(app, tier="app")) == {
        "AppOutAlarm", "AppOutPolicy", "AppInAlarm", "AppInPolicy", *STARVED,
    }  # fmt: skip
    assert set(render(web, tier="web")) == {
        "WebTracking", "WebOutAlarm", "WebOutPolicy", "WebInAlarm", "WebInPolicy",
    }  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_templates_text_is_the_plan(policy):
    """A controller that reads it follows the same plan."""
    plan = Plan(minimum=1, maximum=7, policy=policy)
    assert read_plan(policy_text(plan)) == plan
    assert "\nEND\n" not in policy_text(plan)  # it ends the heredoc that carries it
