"""Spare capacity with slow removal: AutoScale."""

from __future__ import annotations

import math

from iraas.scaling.policy import Decision, History, Observation, Policy, keep


class SpareCapacity(Policy, frozen=True, forbid_unknown_fields=True, tag="spare-capacity"):
    """A worker for each `packing` jobs in the system, and none is removed before it was idle for `hold` seconds.

    After Gandhi, Harchol-Balter, Raghunathan and Kozuch, "AutoScale: Dynamic, Robust Capacity Management for Multi-Tier
    Data Centers", ACM TOCS 30(4), 2012: the number of jobs in the system tells the load (it grows when anything slows
    down), and each server waits before it turns itself off. Idle servers are told from busy ones, as if all jobs
    were packed onto as few as possible.
    """

    title = "spare capacity, slow removal"
    deployable = False

    packing: float = 1.5  # jobs in the system that one worker can hold within the objective
    hold: float = 260.0  # seconds idle before removal; the paper's t_wait

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not 0 < self.packing < math.inf:
            raise ValueError(
                f"packing: {self.packing:g} jobs a worker would need endless workers, or none; give more than 0"
            )
        if not 0 <= self.hold < math.inf:
            raise ValueError(f"hold: {self.hold:g} is no time; give seconds, 0 or more")

    def decide(self, seen: Observation, history: History) -> Decision:
        """Workers for the jobs that are there, and those that were idle too short a time to go."""
        if math.isnan(seen.backlog):
            return keep(seen, "kept: the queue cannot be seen")
        needed = math.ceil(seen.backlog / self.packing)
        longest = max(int(want) for want in history.window("needed", needed, at=seen.time, seconds=self.hold))
        if needed > seen.capacity:
            why = f"{seen.backlog:.0f} jobs in the system, {self.packing:g} for each worker"
            return Decision(needed, f"added {needed - seen.capacity}: {why}")
        if longest < seen.capacity:
            return Decision(longest, f"removed {seen.capacity - longest}: idle for {self.hold:.0f} s")
        return keep(
            seen, f"kept: {seen.backlog:.0f} jobs in the system, spare ones wait for {self.hold:.0f} s"
        )
