"""plan -> template -> alarms and policies as AWS would run them, look by look, on a history that is known in full."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.rig.alarms import CloudWatchAlarm
from tests.rig.policies import Counts, SimplePolicy, StepPolicy, TrackingPolicy, read_policy, together
from tests.rig.template import resolve

from iraas.scaling.plan import Plan
from iraas.scaling.policy import Observation
from iraas.scaling.render import render

STACK, QUEUE = "pictures", "RequestQueue.QueueName"
FIELDS = {  # namespace, name, dimension -> what it is of an observation
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", QUEUE): lambda seen: seen.visible,
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QUEUE): lambda seen: seen.in_flight,
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", QUEUE): lambda seen: seen.oldest_age,
    ("iraas", "Visible", STACK): lambda seen: seen.visible,
    ("iraas", "InFlight", STACK): lambda seen: seen.in_flight,
    ("iraas", "Responses", STACK): lambda seen: seen.responses,
    ("AWS/EC2", "CPUUtilization", "AppGroup"): lambda seen: seen.cpu * 100,
    ("AWS/EC2", "CPUUtilization", "WebGroup"): lambda seen: seen.cpu * 100,
    # An empty group has no datapoint, as users see it: what is reckoned from it must do without.
    ("AWS/AutoScaling", "GroupInServiceInstances", "AppGroup"): lambda seen: seen.in_service or math.nan,
    ("AWS/AutoScaling", "GroupInServiceInstances", "WebGroup"): lambda seen: seen.in_service or math.nan,
}
ONCE_A_MINUTE = ("AWS/SQS", "AWS/EC2", "AWS/AutoScaling")


class Shown:
    """CloudWatch: averages of the looks so far. A period that began before the first look is not there."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.lacking: list[float] = []
        self.looks: list[Observation] = []
        self._averages: dict[
            tuple, list[float]
        ] = {}  # by metric and period: of the period that ends with each look

    def datapoints(self, namespace, name, dimensions, *, stat, period, count, now):
        [where] = dimensions.values()
        assert now == self.looks[-1].time
        assert period >= 60 or namespace not in ONCE_A_MINUTE
        if name == "Lacking":
            assert (namespace, where, stat, period) == ("iraas", STACK, "Maximum", self.every)
            return ([math.nan] * count + self.lacking)[-count:]
        assert stat == "Average"
        of, each = FIELDS[namespace, name, where], round(period / self.every)
        averages = self._averages.setdefault((namespace, name, where, each), [])
        for end in range(len(averages) + 1, len(self.looks) + 1):
            averages.append(_average([of(seen) for seen in self.looks[max(0, end - each) : end]], each))
        found = averages[::-each][:count]
        return [math.nan] * (count - len(found)) + found[::-1]


def _average(values, each):
    known = [value for value in values if value == value]
    return math.fsum(known) / len(known) if known and len(values) == each else math.nan


def physical(name, attribute):
    """What a Ref or an attribute becomes: its own name, which says what it was."""
    return f"{name}.{attribute}" if attribute else name


@dataclass
class Asked:
    """What came of one look."""

    wanted: int  # by all policies but the one for those who starve
    alarms: list[str] = field(default_factory=list)  # that acted
    starved: int | None = None  # what that one asks for, if it does


class Rendered:
    """The alarms and policies of a plan; `starved`: also the one for pictures that nobody works on."""

    def __init__(self, plan: Plan, *, tier: str = "app", starved: bool = True) -> None:
        self.plan = plan
        resources = render(plan, tier=tier)
        if not starved:
            resources = {name: found for name, found in resources.items() if "Starved" not in name}
        there = {name: {"Type": "there"} for name in ("AppGroup", "WebGroup", "RequestQueue")}
        stack = resolve(
            {"Resources": {**there, **resources}}, names=physical, pseudo={"AWS::StackName": STACK}
        )
        self.alarms = {
            name: CloudWatchAlarm(found.properties)
            for name, found in stack.of("AWS::CloudWatch::Alarm").items()
        }
        policies = stack.of("AWS::AutoScaling::ScalingPolicy")
        assert all(
            found.properties["AutoScalingGroupName"] in ("AppGroup", "WebGroup")
            for found in policies.values()
        )
        self.policies = {name: read_policy(found.properties) for name, found in policies.items()}
        self.acted_at = -math.inf

    def look(self, shown: Shown) -> Asked:
        """Evaluate the alarms that are due, and take the largest of what the policies say."""
        seen = shown.looks[-1]
        has = Counts(seen.in_service, seen.starting, seen.terminating, self.plan.minimum, self.plan.maximum)
        asked, alarms, starved, act = [], [], None, False
        for name, alarm in self.alarms.items():
            if seen.time % alarm.every or not alarm.look(shown, seen.time):
                continue
            [action] = alarm.actions
            policy = self.policies[action]
            if name == "AppStarvedAlarm":
                starved = policy.wanted(alarm.value, alarm.threshold, has)
                continue
            alarms.append(name)
            if isinstance(policy, SimplePolicy):
                # `decide` does not know the bounds, and cools down also when they left nothing to do. Auto Scaling
                # launches nothing then, and would not: the one difference that is papered over here.
                free = has._replace(minimum=0, maximum=1_000_000)
                asked.append(policy.wanted(free, now=seen.time, acted_at=self.acted_at))
                act = True
            else:
                assert isinstance(policy, StepPolicy)
                asked.append(policy.wanted(alarm.value, alarm.threshold, has))
        trackings = [policy for policy in self.policies.values() if isinstance(policy, TrackingPolicy)]
        tracked = [(policy, policy.wanted(shown, has, seen.time)) for policy in trackings]
        wanted = together(has, asked, tracked)
        if act and wanted != has.all:
            self.acted_at = seen.time
        return Asked(max(has.minimum, min(has.maximum, wanted)), alarms, starved)
