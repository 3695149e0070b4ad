"""iraas.scaling.render_together: several policies at once, none of which removes against another."""

from __future__ import annotations

import pytest
from tests.unit.scaling.plans import step_alarms, tracking

from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import Combined
from iraas.scaling.render import default_web_plan, render

STARVED = {"AppStarvedAlarm", "AppStarvedPolicy"}


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


def test_parts_of_a_combination_have_numbers():
    """The first has none."""
    both = Combined(parts=(step_alarms(), step_alarms("responses")))
    assert set(rendered(both, tier="web")) == {
        f"Web{way}{number}{kind}"
        for way in ("Out", "In")
        for number in ("", "2")
        for kind in ("Alarm", "Policy")
    }
    assert (
        set(rendered(Combined(parts=(tracking(), tracking("cpu", 0.5)))))
        == {"AppTracking", "AppTracking2"} | STARVED
    )


def test_a_part_removes_only_while_the_others_are_calm():
    """Auto Scaling would not wait for an alarm that is quiet; each sees the other's metric. Out is each one's own."""
    both = Combined(parts=(step_alarms("backlog"), step_alarms("responses", high=50.0, low=5.0)))
    one, other = (properties(both, name) for name in ("AppInAlarm", "AppIn2Alarm"))
    queue, replies = "FILL(v,-1)>=0 AND FILL(n,-1)>=0", "FILL(r,-1)>=0"
    assert expressions(one)["e"] == f"IF({queue} AND {replies},IF(r<5,FILL(v,0)+FILL(n,0),11))"
    assert expressions(other)["e"] == f"IF({replies} AND {queue},IF(FILL(v,0)+FILL(n,0)<10,r,6))"
    assert set(expressions(one)) == set(expressions(other)) == {"e", "v", "n", "r"}
    assert properties(both, "AppOut2Alarm")["MetricName"] == "Responses"


def test_target_tracking_beside_steps_leaves_removal_to_them():
    """They remove when it would, too: below what counts as below, and with room for one instance fewer."""
    web = render(default_web_plan(), tier="web")
    assert web["WebTracking"]["Properties"]["TargetTrackingConfiguration"]["DisableScaleIn"] is True
    alarm = web["WebInAlarm"]["Properties"]
    assert expressions(alarm)["e"] == (
        "IF(FILL(r,-1)>=0 AND FILL(c,-1)>=0 AND FILL(i,-1)>=0,IF(c<45 AND c*i<=50*(i-1),r,11))"
    )
    assert alarm["EvaluationPeriods"] == 15
    beside = Combined(parts=(tracking(target=25.0), step_alarms(periods=15, missing="notBreaching")))
    assert "IF(v<22.5*i AND v<=25*(i-1)," in expressions(properties(beside, "AppInAlarm"))["e"]


def test_what_never_removes_keeps_the_others_from_it():
    """As the largest of all parts does: no alarm for scale-in, and no target tracking that removes."""
    never = Combined(parts=(tracking("cpu", 0.5, disable_in=True), step_alarms(), tracking()))
    resources = rendered(never)
    assert set(resources) == {"AppTracking", "AppTracking2", "AppOutAlarm", "AppOutPolicy"} | STARVED
    tracked = resources["AppTracking2"]["Properties"]["TargetTrackingConfiguration"]
    assert tracked["DisableScaleIn"] is True


def test_too_many_parts_make_too_long_an_expression():
    """CloudWatch takes 1,024 characters."""
    parts = tuple(step_alarms("backlog", low=10.0 + part / 7) for part in range(40))
    with pytest.raises(ValueError, match=r"parts\[0\].parts: they make an .* takes 1024; combine"):
        rendered(Combined(parts=parts))
