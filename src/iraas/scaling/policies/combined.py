"""Several rules at once: the largest on the way out, the least eager on the way in."""

from __future__ import annotations

from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import MINUTE, Tracking
from iraas.scaling.policy import Decision, History, Observation, Policy

Single = (
    StepAlarms | SimpleAlarms | Tracking | JobsPerWorker | WorkerPerMessage | SpareCapacity | Staffing
)  # what may be a part


class Combined(Policy, frozen=True, forbid_unknown_fields=True, tag="combined"):
    """The largest of what its parts want: one may add alone, and none may remove against another.

    Auto Scaling, too, takes the largest of what its policies ask for at one time ("Dynamic scaling for Amazon EC2 Auto
    Scaling"), but does not wait for those that ask for nothing: see `deployable`.
    """

    parts: tuple[Single, ...]

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if len(self.parts) < 2:
            raise ValueError(f"parts: a combination needs two policies or more, and has {len(self.parts)}")
        if len({part.every for part in self.parts}) > 1:
            raise ValueError("parts: all must decide equally often; give their alarms the same period")

    @property
    def title(self) -> str:
        """A few words, for tables."""
        return " + ".join(part.title for part in self.parts)

    @property
    def deployable(self) -> bool:
        """Whether all parts are, and alarms can keep one from removing against another.

        Auto Scaling waits on the way in for other target tracking policies, and for nothing else ("Target tracking
        scaling policies"). So an alarm for scale-in watches all metrics at once (`render_together.py`), and is in the
        state that these rules want together only if all ask for the same number of the same periods and treat missing
        data alike. It sees no cooldown. Beside target tracking it removes one at a time, since that knows no steps, and
        missing data must not breach, since that does not scale in on insufficient data.
        """
        if not all(part.deployable for part in self.parts):
            return False
        steps = [part for part in self.parts if isinstance(part, StepAlarms)]
        trackings = [part for part in self.parts if isinstance(part, Tracking)]
        if len(steps) + len(trackings) < len(self.parts):
            return False
        if not steps or any(part.tracking.disable_in for part in trackings):
            return True  # Auto Scaling waits for all, or nobody ever removes
        if trackings and not all(_beside_tracking(part) for part in steps):
            return False
        asked = {(alarm.period, alarm.evaluation_periods) for alarm in (part.in_when for part in steps)}
        asked |= {(part.period, part.tracking.in_datapoints) for part in trackings}
        every = all(part.in_when.datapoints == part.in_when.evaluation_periods for part in steps)
        alike = len(asked) == len({part.in_when.missing for part in steps}) == 1
        return every and alike and self.every >= MINUTE

    @property
    def every(self) -> float:
        """Seconds between two decisions."""
        return self.parts[0].every

    def decide(self, seen: Observation, history: History) -> Decision:
        """Ask all, and do what the largest says."""
        said = [part.decide(seen, history.part(number)) for number, part in enumerate(self.parts)]
        return max(said, key=lambda decision: decision.capacity)


def _beside_tracking(part: StepAlarms) -> bool:
    one = part.back.adjustment == "ChangeInCapacity" and {step.change for step in part.back.steps} == {-1}
    return one and part.in_when.missing == "notBreaching"


AnyPolicy = Single | Combined
