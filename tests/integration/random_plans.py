"""chance -> a plan that alarms can run, and histories that its thresholds are tried by."""

from __future__ import annotations

import math
from itertools import pairwise

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import Observation
from iraas.scaling.tracking import TargetTracking

MINUTELY = ("visible", "in_flight", "backlog", "responses", "oldest_age", "cpu")
OFTEN = ("visible", "in_flight", "backlog", "responses")  # that we publish ourselves
WAYS = ("missing", "ignore", "breaching", "notBreaching")


def bounds(chance):
    """A minimum, and a maximum above it."""
    minimum = chance.choice((0, 0, 1, 3))
    return {"minimum": minimum, "maximum": minimum + chance.choice((1, 5, 12, 40))}


def step_plan(chance):
    """Steps of every kind."""
    limits = bounds(chance)
    return Plan(**limits, policy=_step_alarms(chance, limits))


def simple_plan(chance):
    """One adjustment each way, and a cooldown."""
    percent = chance.random() < 0.4
    kind = (
        {"adjustment": "PercentChangeInCapacity", "minimum_magnitude": chance.choice((0, 0, 2))}
        if percent
        else {}
    )
    out, back = (
        (chance.choice((20, 50, 110)), -chance.choice((10, 30))) if percent else (chance.choice((1, 3)), -1)
    )
    if not percent and chance.random() < 0.2:
        kind, out, back = {"adjustment": "ExactCapacity"}, chance.choice((4, 9)), chance.choice((0, 2))
    cooldown = chance.choice((0.0, 60.0, 300.0))
    return Plan(
        **bounds(chance),
        policy=SimpleAlarms(
            **_alarms(chance),
            out=SimpleScaling(change=out, cooldown=cooldown, **kind),
            back=SimpleScaling(change=back, cooldown=cooldown, **kind),
        ),
    )


def combined_plan(chance):
    """Two or three with steps, which look at the same minutes."""
    limits, periods = bounds(chance), chance.choice((1, 2, 3, 5))
    same = {
        "period": chance.choice((60.0, 60.0, 120.0)),
        "missing": chance.choice(WAYS),
        "back_periods": periods,
    }
    parts = tuple(_step_alarms(chance, limits, **same) for _ in range(chance.choice((2, 3))))
    return Plan(**limits, policy=Combined(parts=parts))


def tracking_plan(chance):
    """Target tracking, alone or two of it."""
    cpu = _tracking("cpu", chance.choice((0.3, 0.5, 0.75)), disable_in=chance.random() < 0.2)
    queue = _tracking(
        "visible_per_worker", chance.choice((4.0, 25.0, 100.0)), disable_in=cpu.tracking.disable_in
    )
    both = Combined(parts=(cpu, queue))
    return Plan(**bounds(chance), policy=chance.choice((cpu, queue, both)))


def mixed_plan(chance):
    """Target tracking beside steps, as the web tier has it."""
    limits = {"minimum": 0, "maximum": chance.choice((2, 5, 40))}  # where one fewer is often too few
    steps = _step_alarms(chance, limits, period=60.0, missing="notBreaching", back_periods=15, one_less=True)
    tracking = chance.choice(
        (_tracking("cpu", 0.2), _tracking("cpu", 0.5), _tracking("visible_per_worker", 4.0))
    )
    return Plan(**limits, policy=Combined(parts=(tracking, steps)))


def controller_plan(chance):
    """What no alarm can run."""
    memory = {"hold": chance.choice((0.0, 30.0, 120.0))}
    policy = chance.choice(
        (
            Staffing(settle=chance.choice((0.0, 30.0)), slow=12.0, service=0.5, **memory),
            JobsPerWorker(target=chance.choice((2.0, 10.0)), **memory),
            SpareCapacity(packing=3.0, **memory),
            WorkerPerMessage(),
            Combined(parts=(JobsPerWorker(target=4.0, **memory), Staffing(slow=12.0, **memory))),
        )
    )
    return Plan(
        minimum=chance.choice((0, 0, 2)), maximum=chance.choice((3, 10, 20, 100, 1000)), policy=policy
    )


def _tracking(metric, target, **fields):
    return Tracking(metric=metric, tracking=TargetTracking(target=target, **fields))


def _step_alarms(chance, limits, *, one_less=False, **alike):
    alarms = _alarms(chance, **alike)
    scale = 0.01 if alarms["out_when"].metric == "cpu" else 1.0
    back = StepScaling(steps=(Step(None, 0.0, -1),)) if one_less else _scaling(chance, limits, -1, scale)
    return StepAlarms(**alarms, out=_scaling(chance, limits, 1, scale), back=back)


def _scaling(chance, limits, sign, scale):
    """Up to four steps away from the threshold."""
    edges = [
        0.0,
        *(edge * scale for edge in sorted(chance.sample(range(2, 20), chance.randrange(4)))),
        math.inf,
    ]
    kind = chance.choice(("ChangeInCapacity", "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"))
    steps = []
    for low, high in pairwise(edges):
        ends = (low, None if high == math.inf else high)
        if sign < 0:
            ends = tuple(-end if end else None if end is None else 0.0 for end in reversed(ends))
        change = sign * chance.choice((0, 1, 2, 5))
        if kind == "PercentChangeInCapacity":
            change *= 15
        elif kind == "ExactCapacity":
            change = limits["maximum"] + chance.choice((0, 2)) if sign > 0 else limits["minimum"]
        steps.append(Step(*ends, change))
    magnitude = chance.choice((0, 2)) if kind == "PercentChangeInCapacity" else 0
    return StepScaling(steps=tuple(steps), adjustment=kind, minimum_magnitude=magnitude)


def _alarms(chance, *, period=None, missing=None, back_periods=None):
    """M of N in both directions; ours publish as often as every ten seconds."""
    period = period or chance.choice((60.0, 60.0, 60.0, 300.0, 10.0, 30.0))
    metric = chance.choice(MINUTELY if period >= 60 else OFTEN)
    high, low = chance.choice(((20.0, 10.0), (20.0, 3.0), (12.0, 12.0)))
    scale = 0.01 if metric == "cpu" else 1.0

    def alarm(threshold, comparisons, periods):
        of = periods or chance.choice((1, 1, 2, 3, 5))
        return Alarm(
            metric,
            threshold * scale,
            chance.choice(comparisons),
            period=period,
            datapoints=of if periods else chance.randrange(1, of + 1),
            evaluation_periods=of,
            missing=missing or chance.choice(WAYS),
        )

    return {"out_when": alarm(high, (">", ">="), None), "in_when": alarm(low, ("<", "<="), back_periods)}


def histories(chance, plan, *, looks, every, together=False, gaps=None, slow=False):
    """Observations at every `every` seconds: calm, busy and between in turn, with gaps.

    `together`: one gap is a gap of all metrics, as when nobody publishes. `slow`: for alarms that want a quarter of
    an hour.
    """
    gaps = chance.choice((0.0, 0.0, 0.1, 0.4)) if gaps is None else gaps
    top = min(plan.maximum + 2, 40)
    in_service, level = chance.randrange(top), 10.0
    for number in range(looks):
        if chance.random() < (0.05 if slow else 0.35):
            level = chance.choice((0.0, 2.0, 5.0, 11.0, 16.0, 25.0, 60.0))
        if chance.random() < (0.05 if slow else 0.3):
            in_service = max(0, min(top, in_service + chance.choice((-30, -2, -1, 1, 2, 4))))
        gone = together and chance.random() < gaps

        def metric(many=1.0, gone=gone):
            if gone or (not together and chance.random() < gaps):
                return math.nan
            return max(0.0, level * many + chance.choice((-2.0, -1.0, 0.0, 0.0, 0.5, 1.0, 2.0)))  # noqa: B023

        busy = metric(chance.choice((1.0, 1.0, 1.5)))
        yield Observation(
            time=every * (number + 1),
            period=every,
            visible=metric(chance.choice((1.0, 0.5, 8.0))),
            in_flight=metric(0.5),
            in_service=in_service,
            starting=chance.choice((0, 0, 0, 0, 1, 3)),
            arrivals=metric(),
            responses=metric(),
            oldest_age=metric(),
            # Between two whole percents, averages as well: 0.29 * 100 is not 29, and nobody means to tell them apart.
            cpu=min(0.9937, (math.floor(busy) + 0.37) / 100) if not math.isnan(busy) else busy,
            terminating=chance.choice((0, 0, 0, 1, 2)),
        )
