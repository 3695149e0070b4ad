"""Plan of a group -> decisions in workers, in whole instances, between the group's own bounds; pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from iraas.scaling.policies.combined import AnyPolicy, Combined
from iraas.scaling.policies.steps import Rule
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import Decision, History, Observation

UNSEEN = {"cpu", "oldest_age"}  # metrics that SQS and our own processes do not tell at any moment


class ByInstance:
    """A policy that reckons in workers, for a group whose instances have several each.

    `bounds` says the least and the most workers, and may change while the plan is followed.
    """

    def __init__(
        self, policy: AnyPolicy, *, workers_per_instance: int, bounds: Callable[[], tuple[int, int]]
    ) -> None:
        self.policy = policy
        self._workers = workers_per_instance
        self._bounds = bounds

    @property
    def minimum(self) -> int:
        """Workers that there always are."""
        return self._bounds()[0]

    @property
    def maximum(self) -> int:
        """Workers that there are at most."""
        return self._bounds()[1]

    def decide(self, seen: Observation, history: History) -> Decision:
        """What the policy says, rounded up to whole instances."""
        said = self.policy.decide(seen, history)
        instances = math.ceil(said.capacity / self._workers)
        capacity, reason = instances * self._workers, said.reason
        if self._workers > 1:
            reason = (
                f"{reason}; {instances} instance{'' if instances == 1 else 's'} of {self._workers} workers"
            )
        if capacity > self.maximum:
            return Decision(self.maximum, f"{reason}, but {self.maximum} workers are the maximum")
        if capacity < self.minimum:
            return Decision(self.minimum, f"{reason}, but {self.minimum} workers are the minimum")
        return Decision(capacity, reason)


def unseen(policy: AnyPolicy) -> list[str]:
    """The metrics that it watches and a controller on AWS cannot see; with them it would never let go."""
    parts = policy.parts if isinstance(policy, Combined) else (policy,)
    watched = {part.metric for part in parts if isinstance(part, Rule | Tracking)}
    return sorted(watched & UNSEEN)
