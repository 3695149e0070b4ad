"""So many jobs a worker: as KEDA and Cortex count them, and one worker a job as course projects do."""

from __future__ import annotations

import math

from iraas.scaling.policy import Decision, History, Observation, Policy, keep


class JobsPerWorker(Policy, frozen=True, forbid_unknown_fields=True, tag="jobs-per-worker"):
    """Workers = (visible + in flight) / `target`, rounded up; on the way in the largest of the last `hold` seconds.

    KEDA's SQS scaler counts visible and in flight, and the HorizontalPodAutoscaler that it drives keeps the largest
    recommendation of five minutes on the way in (Kubernetes: "Horizontal Pod Autoscaling", stabilization window).
    """

    title = "visible + in flight per worker"
    deployable = False

    target: float = 5.0  # jobs a worker
    hold: float = 300.0  # seconds

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not 0 < self.target < math.inf:
            raise ValueError(
                f"target: {self.target:g} jobs a worker would need endless workers, or none; give a number above 0"
            )
        if not 0 <= self.hold < math.inf:
            raise ValueError(f"hold: {self.hold:g} is no time; give seconds, 0 or more")

    def decide(self, seen: Observation, history: History) -> Decision:
        """Divide the backlog by the target."""
        if math.isnan(seen.backlog):
            return keep(seen, "kept: the queue cannot be seen")
        now = math.ceil(seen.backlog / self.target)
        wanted = max(int(want) for want in history.window("wanted", now, at=seen.time, seconds=self.hold))
        each = seen.backlog / max(1, seen.capacity)
        backlog = f"{seen.visible:.0f} waiting and {seen.in_flight:.0f} in flight"
        if now > seen.capacity:
            why = f"{backlog} on {seen.capacity} workers is {each:.1f} each, target {self.target:g}"
            return Decision(now, f"added {now - seen.capacity}: {why}")
        if wanted < seen.capacity:
            why = f"no more than {wanted} were needed in the last {self.hold:.0f} s"
            return Decision(wanted, f"removed {seen.capacity - wanted}: {why}")
        return keep(seen, f"kept: {backlog}, {each:.1f} for each worker")


class WorkerPerMessage(Policy, frozen=True, forbid_unknown_fields=True, tag="worker-per-message"):
    """One worker for each visible message, and none without: what course projects do. Never the best of any table."""

    title = "one worker a message"
    deployable = False

    def decide(self, seen: Observation, history: History) -> Decision:  # noqa: ARG002 - it has no memory
        """As many workers as there are messages."""
        if math.isnan(seen.visible):
            return keep(seen, "kept: the queue cannot be seen")
        wanted = math.ceil(seen.visible)
        if wanted > seen.capacity:
            return Decision(wanted, f"added {wanted - seen.capacity}: {wanted} waiting")
        if wanted == 0 and seen.in_flight < 1:
            return Decision(0, f"removed {seen.capacity}: nothing is waiting")
        return keep(seen, f"kept: {wanted} waiting")
