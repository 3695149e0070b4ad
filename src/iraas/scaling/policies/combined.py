"""Several rules at once: the largest on the way out, the least eager on the way in."""

from __future__ import annotations

from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import Decision, History, Observation, Policy

Single = (
    StepAlarms | SimpleAlarms | Tracking | JobsPerWorker | WorkerPerMessage | SpareCapacity | Staffing
)  # what may be a part


class Combined(Policy, frozen=True, forbid_unknown_fields=True, tag="combined"):
    """The largest of what its parts want: one may add alone, and none may remove against another.

    So does Auto Scaling with several policies of one group. AWS: "Dynamic scaling for Amazon EC2 Auto Scaling".
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
        """Whether all parts are."""
        return all(part.deployable for part in self.parts)

    @property
    def every(self) -> float:
        """Seconds between two decisions."""
        return self.parts[0].every

    def decide(self, seen: Observation, history: History) -> Decision:
        """Ask all, and do what the largest says."""
        said = [part.decide(seen, history.part(number)) for number, part in enumerate(self.parts)]
        return max(said, key=lambda decision: decision.capacity)


AnyPolicy = Single | Combined
