"""what the controller wants, or that nobody works -> alarms and exact steps of the app tier; pure."""

from __future__ import annotations

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.render_alarms import MOST_STEPS, alarm, step_policy
from iraas.scaling.render_metrics import MINUTE, Resource, Series, in_service, own, series

LACKING_PERIOD = 10.0  # seconds: as often as a web process publishes
EXACT = 10  # instances up to which a lack is made good at once; beyond, steps grow coarser
STARVED_WARMUP = 240.0  # seconds for which the newest datapoint may show what was: one is added, and not four


def by_controller(maximum: int) -> dict[str, Resource]:
    """Alarms on `Lacking`, the instances wanted minus those in service.

    Why minus those in service, and why the warm-up is 0: on the way out Auto Scaling adds a step to the instances in
    service that are warm, and compares the sum with all that there are ("Step and simple scaling policies", instance
    warm-up). With a warm-up of 0 all in service are warm and all pending ones are warming. So in service + lacking is
    what is wanted, however many are on their way and however often the alarm acts. If pending ones were subtracted
    here, Auto Scaling would leave them out a second time; with a longer warm-up, it would leave out instances in
    service that the controller counts. Either way there would be too few.
    On the way in Auto Scaling removes nothing while something is pending, and takes what is terminating for capacity:
    it may take a look longer, and never removes one instance too many.
    """
    watched = Series({"l": own("Lacking", "Maximum")}, "l")
    again = {"period": LACKING_PERIOD, "missing": "notBreaching"}
    out = Alarm("lacking", 1.0, ">=", "Maximum", **again)  # type: ignore[arg-type]
    back = Alarm("lacking", -1.0, "<=", "Maximum", datapoints=2, evaluation_periods=2, **again)  # type: ignore[arg-type]
    fewer, more = (f"There are {word} instances than the controller wants" for word in ("fewer", "more"))
    return {
        "OutAlarm": alarm(out, watched, description=fewer, policy="AppOutPolicy"),
        "OutPolicy": step_policy(lacking_out(maximum), tier="app", field="policy", aggregation="Maximum"),
        "InAlarm": alarm(back, watched, description=more, policy="AppInPolicy"),
        "InPolicy": step_policy(lacking_back(maximum), tier="app", field="policy", aggregation="Maximum"),
    }


def lacking_out(maximum: int) -> StepScaling:
    """As many more as are lacking. They lie one less above the threshold of 1, where lower bounds are inclusive."""
    sizes = _sizes(maximum)
    upper = [*(size - 1.0 for size in sizes[1:]), None]
    steps = (Step(size - 1.0, high, size) for size, high in zip(sizes, upper, strict=True))
    return StepScaling(steps=tuple(steps), warmup=0.0)


def lacking_back(maximum: int) -> StepScaling:
    """As many fewer as are too many. They lie one less below the threshold of -1, where upper bounds are inclusive."""
    sizes = _sizes(maximum)
    lower = [*(1.0 - size for size in sizes[1:]), None]
    steps = (Step(low, 1.0 - size, -size) for size, low in zip(sizes, lower, strict=True))
    return StepScaling(steps=tuple(steps), warmup=0.0)


def _sizes(maximum: int) -> list[int]:
    """Each number up to ten, then so that twenty steps reach the maximum in even proportions.

    What lies between two is rounded down to the lower one: the alarm acts again, and the rest follows.
    """
    sizes = list(range(1, EXACT + 1))  # also beyond a small maximum, which a stack may raise
    while len(sizes) < MOST_STEPS and sizes[-1] < maximum:
        growth = (maximum / sizes[-1]) ** (1 / (MOST_STEPS - len(sizes)))
        sizes.append(max(sizes[-1] + 1, round(sizes[-1] * growth)))
    return sizes


def starved() -> dict[str, Resource]:
    """One instance for a backlog that nobody works off, also when no web process lives to say what is lacking.

    An empty group has no datapoint: hence FILL without a guard for its count, and three minutes, because the group's
    metrics may come two later than the queue's. Of five, because the queue's own come late and with gaps, too; a minute
    of which they are not there is no minute without pictures. While the alarm ends, its newest datapoint lies below the
    threshold, where there is no step.
    """
    backlog = series("backlog", tier="app", period=MINUTE)
    metrics = {**backlog.metrics, "i": in_service("app")}
    watched = backlog._replace(metrics=metrics, value=f"IF(FILL(i,0)>0,0,{backlog.value})")
    rule = Alarm("starved", 1.0, ">=", datapoints=3, evaluation_periods=5, missing="notBreaching")
    one = StepScaling(steps=(Step(0.0, None, 1),), warmup=STARVED_WARMUP)
    description = "Pictures wait, and no instance is in service"
    return {
        "StarvedAlarm": alarm(rule, watched, description=description, policy="AppStarvedPolicy"),
        "StarvedPolicy": step_policy(one, tier="app", field="policy"),
    }
