"""iraas.scaling.render_lacking: the controller's road to the group, and the pictures that nobody works on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.plan import Plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.render import render
from iraas.scaling.render_lacking import EXACT, lacking_back, lacking_out

FREE = {"minimum": 0, "maximum": 1_000_000}


def resources(maximum=10):
    return {
        name: found["Properties"]
        for name, found in render(Plan(maximum=maximum, policy=Staffing()), tier="app").items()
    }


@pytest.mark.parametrize("maximum", [1, 3, 10, 15, 20, 21, 100, 5000, 100_000])
def test_steps_are_exact_to_ten_and_twenty_at_most(maximum):
    """Also for a group that a stack lets grow beyond its plan; the same both ways."""
    out, back = lacking_out(maximum).steps, lacking_back(maximum).steps
    assert 10 <= len(out) == len(back) <= 20
    changes = [step.change for step in out]
    assert changes[:10] == list(range(1, 11))
    assert changes == sorted(set(changes)) == [-step.change for step in back]
    assert changes[-1] == max(10, maximum)
    if maximum <= 20:
        assert changes == list(range(1, max(10, maximum) + 1))


@given(st.integers(1, 10), st.integers(0, 40), st.integers(0, 40))
def test_what_is_lacking_comes(lacking, in_service, pending):
    """Counted from what is in service; and if the alarm acts again while they start, nothing is added twice."""
    wanted = in_service + lacking
    scaling = lacking_out(10)
    there = scaling.adjust(lacking, 1.0, capacity=in_service, warming=pending, **FREE)
    assert there == max(wanted, in_service + pending)
    assert scaling.adjust(lacking, 1.0, capacity=in_service, warming=there - in_service, **FREE) == there


@given(st.integers(1, 10), st.integers(10, 40), st.integers(0, 5))
def test_what_is_too_many_goes(surplus, in_service, terminating):
    """Never more: what is terminating is on its way already. Nothing goes while something is pending."""
    left = lacking_back(10).adjust(-surplus, -1.0, capacity=in_service, terminating=terminating, **FREE)
    assert left == min(in_service, in_service - surplus + terminating)
    assert lacking_back(10).adjust(-surplus, -1.0, capacity=in_service, warming=1, **FREE) == in_service + 1


@given(st.integers(11, 100_000), st.sampled_from([50, 1000, 100_000]))
def test_a_great_lack_is_made_good_in_a_few_minutes(lacking, maximum):
    """Rounded down, so that nothing is bought too much; the alarm acts again once they are in service."""
    wanted = min(lacking, maximum)
    in_service = minutes = 0
    while in_service < wanted:
        lack = wanted - in_service
        there = lacking_out(maximum).adjust(lack, 1.0, capacity=in_service, **FREE)
        assert in_service < there <= wanted
        in_service, minutes = there, minutes + 1
    assert minutes <= 2 + math.log2(wanted)
    while in_service > 0:
        left = lacking_back(maximum).adjust(-in_service, -1.0, capacity=in_service, **FREE)
        assert 0 <= left < in_service
        in_service = left


def test_alarms_look_at_the_largest_that_a_web_process_published():
    """Out at once, in when it was so twice; when nobody publishes, nothing changes."""
    found = resources()
    for direction, comparison, threshold, periods in (
        ("Out", "GreaterThanOrEqualToThreshold", 1.0, 1),
        ("In", "LessThanOrEqualToThreshold", -1.0, 2),
    ):
        alarm, policy = found[f"App{direction}Alarm"], found[f"App{direction}Policy"]
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
            "iraas",
            "Lacking",
            "Maximum",
        )
        assert alarm["Dimensions"] == [{"Name": "Stack", "Value": {"Ref": "AWS::StackName"}}]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (
            10,
            periods,
            periods,
        )
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"] == [{"Ref": f"App{direction}Policy"}]
        assert (policy["EstimatedInstanceWarmup"], policy["MetricAggregationType"]) == (0, "Maximum")
        assert len(policy["StepAdjustments"]) == EXACT


def test_one_comes_for_pictures_that_nobody_works_on():
    """Visible or in flight, while the group says that it is empty or says nothing."""
    found = resources()
    alarm = found["AppStarvedAlarm"]
    [expression] = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    assert expression == ("IF(FILL(v,-1)>=0 AND FILL(n,-1)>=0,IF(FILL(i,0)>0,0,FILL(v,0)+FILL(n,0)))")
    assert (alarm["Threshold"], alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (1.0, 3, 5)
    assert {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query} == {60}
    policy = found["AppStarvedPolicy"]
    assert policy["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    assert policy["EstimatedInstanceWarmup"] >= 240
