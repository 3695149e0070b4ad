"""The rendered alarms of the default plans where AWS's metrics come minutes later than ours: what is late is not told.

CloudWatch shows ours after seconds, SQS's after a minute or two, those of EC2 and of groups after two or three. What
an expression makes of a minute that is half there is the trap: a filler would be in the newest datapoint at every look.
"""

from __future__ import annotations

import pytest
from tests.integration.rendered import QUEUE, STACK, Rendered
from tests.rig.metric_store import MetricStore

from iraas.scaling.render import default_app_plan, default_web_plan

MINUTES = 60
LATE = (0.0, 30.0, 60.0, 90.0, 120.0)  # seconds
REPLIES = ("iraas", "Responses", {"Stack": STACK})
CPU = ("AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": "WebGroup"})
WEB = ("AWS/AutoScaling", "GroupInServiceInstances", {"AutoScalingGroupName": "WebGroup"})
APP = ("AWS/AutoScaling", "GroupInServiceInstances", {"AutoScalingGroupName": "AppGroup"})
VISIBLE = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": QUEUE})
IN_FLIGHT = ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", {"QueueName": QUEUE})


def acts(alarm, late, shown):
    """How often the alarm acts, looked at each minute of an hour in which the metrics stood at these values."""
    store, acted = MetricStore({"iraas": 3.0, **late}), 0
    for minute in range(1, MINUTES + 1):
        for metric, values in shown:
            if (value := values(minute) if callable(values) else values) is not None:
                store.put(*metric, value, at=minute * 60.0, seconds=60.0)
        acted += alarm.look(store, minute * 60.0 + 5)
    return acted


@pytest.mark.parametrize("group", LATE)
@pytest.mark.parametrize("cpu", LATE)
def test_the_web_tier_shrinks_when_it_was_calm_for_a_quarter_of_an_hour(cpu, group):
    """However late processors and the count of instances come; and each action is told a calm value."""
    alarm = Rendered(default_web_plan(), tier="web").alarms["WebInAlarm"]
    late = {"AWS/EC2": cpu, "AWS/AutoScaling": group}
    assert acts(alarm, late, [(REPLIES, 2.0), (CPU, 10.0), (WEB, 3.0)]) >= MINUTES - 15 - 4
    assert alarm.value == 2.0


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize(
    "busy",
    [
        [(REPLIES, 2.0), (CPU, 60.0), (WEB, 3.0)],
        [(REPLIES, 2.0), (CPU, 40.0), (WEB, 2.0)],  # one fewer would have 80 percent
        [(REPLIES, 20.0), (CPU, 10.0), (WEB, 3.0)],
        [(REPLIES, 2.0), (CPU, lambda minute: 90.0 if minute % 10 == 0 else 10.0), (WEB, 3.0)],
    ],
    ids=["processors", "no room for one fewer", "replies", "now and then"],
)
def test_the_web_tier_does_not_shrink_while_anything_is_busy(busy, late):
    """A busy minute counts also when it is told late."""
    alarm = Rendered(default_web_plan(), tier="web").alarms["WebInAlarm"]
    assert acts(alarm, {"AWS/EC2": late, "AWS/AutoScaling": late}, busy) == 0


@pytest.mark.parametrize("queue", LATE)
@pytest.mark.parametrize("group", LATE)
def test_pictures_that_nobody_works_on_are_seen(queue, group):
    """Also when the queue is told of late; from the third minute that is known on."""
    alarm = Rendered(default_app_plan()).alarms["AppStarvedAlarm"]
    late = {"AWS/SQS": queue, "AWS/AutoScaling": group}
    assert acts(alarm, late, [(VISIBLE, 50.0), (IN_FLIGHT, 0.0)]) >= MINUTES - 3 - 3
    assert alarm.value == 50.0


@pytest.mark.parametrize("queue", LATE)
@pytest.mark.parametrize("group", LATE)
def test_nobody_starves_while_instances_serve(queue, group):
    """The count may come two minutes after the queue: until then it looks as if there were none."""
    alarm = Rendered(default_app_plan()).alarms["AppStarvedAlarm"]
    late = {"AWS/SQS": queue, "AWS/AutoScaling": group}
    assert acts(alarm, late, [(VISIBLE, 50.0), (IN_FLIGHT, 8.0), (APP, 2.0)]) == 0


@pytest.mark.parametrize("group", LATE)
def test_the_newest_minute_is_below_the_threshold_once_one_serves(group):
    """The alarm ends later, and there is no step for what it says meanwhile; until then the warm-up keeps it to one."""
    rendered = Rendered(default_app_plan())
    alarm, [policy] = rendered.alarms["AppStarvedAlarm"], [rendered.policies["AppStarvedPolicy"]]
    serving_from = 30
    store, unwanted = MetricStore({"AWS/SQS": 0.0, "AWS/AutoScaling": group}), []
    for minute in range(1, MINUTES + 1):
        store.put(*VISIBLE, 50.0, at=minute * 60.0, seconds=60.0)
        store.put(*IN_FLIGHT, 0.0, at=minute * 60.0, seconds=60.0)
        if minute > serving_from:
            store.put(*APP, 1.0, at=minute * 60.0, seconds=60.0)
        if alarm.look(store, minute * 60.0 + 5) and minute > serving_from and alarm.value >= alarm.threshold:
            unwanted.append((minute - serving_from) * 60.0)
    assert all(seconds <= policy.warmup for seconds in unwanted)
    assert alarm.state == "OK"
