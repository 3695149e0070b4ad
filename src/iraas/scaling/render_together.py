"""parts of a combination -> what each may watch, so that on AWS, too, none removes against another; pure.

Auto Scaling takes the largest of what policies ask for *at the same time* ("Dynamic scaling for Amazon EC2 Auto
Scaling", multiple policies), and only target tracking policies wait for one another on the way in ("Target tracking
scaling policies"). A step policy whose alarm is quiet has no say, so that a calm metric would remove what a busy one
needs. Hence an alarm for scale-in sees its own metric only while all others are calm, too, and target tracking beside
steps does not remove by itself.

Such an alarm has no datapoint of a minute until all metrics of that minute are there. Ours come after seconds, those of
SQS after a minute, those of EC2 and of groups after two or three; a filler for the late ones would be in the newest
minute at every look ("Use metric math", FILL), and with it either no alarm would ever remove, or none would ever wait.
"""

from __future__ import annotations

from collections.abc import Iterable

from iraas.scaling.policies.combined import Single
from iraas.scaling.policies.steps import StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.render_metrics import (
    PERCENT,
    Series,
    Tier,
    in_service,
    known,
    number,
    scale_of,
    scaled,
    series,
)


def only_while_calm(part: StepAlarms, others: Iterable[Single], *, tier: Tier) -> Series:
    """What the part's alarm for scale-in watches: where an other one is not calm, a number that does not breach."""
    rule = part.in_when
    mine = series(part.metric, tier=tier, period=rule.period)
    calm, metrics = [], dict(mine.metrics)
    for other in others:
        also, when = _calm(other, tier)
        metrics |= also
        calm.append(when)
    otherwise = number(scaled(rule.threshold, scale_of(part.metric)) + 1)
    value = f"IF({' AND '.join(calm)},{mine.value},{otherwise})"
    return Series(metrics, value, known(metrics))


def _calm(part: Single, tier: Tier) -> tuple[dict, str]:  # type: ignore[type-arg]
    """The metrics of a part, and when they would let it remove."""
    if isinstance(part, Tracking):
        return _far_below(part, tier)
    assert isinstance(part, StepAlarms)  # all that a deployable combination has
    rule = part.in_when
    watched = series(part.metric, tier=tier, period=rule.period)
    limit = scaled(rule.threshold, scale_of(part.metric))
    return watched.metrics, f"{watched.value}{rule.comparison}{number(limit)}"


def _far_below(part: Tracking, tier: Tier) -> tuple[dict, str]:  # type: ignore[type-arg]
    """Below what counts as below, and by so much that one instance fewer would still hold the target.

    Both are what `TargetTracking.wanted` asks for: `value * i <= target * (i - 1)` is a ceiling below i.
    """
    target = part.tracking.target
    if part.metric == "cpu":
        watched = series("cpu", tier=tier, period=part.period)
        full, low = (number(scaled(share, PERCENT)) for share in (target, target * part.tracking.in_below))
        when = f"c<{low} AND c*i<={full}*(i-1)"
    else:
        watched = series("visible", tier=tier, period=part.period)
        low = number(round(target * part.tracking.in_below, 9))
        when = f"v<{low}*i AND v<={number(target)}*(i-1)"
    return {**watched.metrics, "i": in_service(tier)}, when
