"""The figures that have goals, under the names that they have in `embedded.json`."""

from __future__ import annotations

import math
from typing import NamedTuple

AT_ONCE_MS = 100.0  # what a person still feels as immediate: Miller 1968, Card et al. 1991


class Figure(NamedTuple):
    """A number, what it says, and what it ought to be."""

    name: str
    says: str
    unit: str
    goal: float
    more_is_better: bool = False

    @property
    def wanted(self) -> str:
        """The goal in words."""
        sign = "≥" if self.more_is_better else "≤"
        return f"{sign} {self.goal:g} {self.unit}".rstrip()

    def verdict(self, value: float) -> str:
        """`reached`, or by how much not."""
        short = self.goal - value if self.more_is_better else value - self.goal
        if math.isnan(value):
            return "not measured"
        if short <= 0:
            return "reached"
        part = f" ({short / self.goal:.0%})" if self.goal else ""
        return f"missed by {short:.3g}{part}"


FIGURES = (
    Figure("core_ms_ratio", "CPU of all server processes for a picture, to the bare loop's", "", 1.25),
    Figure("throughput_ratio", "pictures a second, to FastAPI + ONNX Runtime + Pillow", "", 2.3, True),
    Figure("same_stack_ratio", "CPU for a picture, to FastAPI with our decoder and model, no queue", "", 1.1),
    Figure("latency_overhead_ms_p50", "over the bare loop, one picture at a time", "ms", 3.0),
    Figure("first_answer_s", "from `iraas up` to the first label", "s", 2.0),
    Figure("idle_cpu_pct", "of a core, with nothing to do", "%", 1.5),
    Figure("rss_mb", "resident: supervisor, web, 2 workers; shared pages counted in each", "MB", 600.0),
    Figure("overload_429_p99_ms", "a refusal under four times the load that can be served", "ms", AT_ONCE_MS),
    Figure("overload_accepted_p99_s", "an answer under that load", "s", 4.0),
    Figure("overload_5xx", "server errors under that load", "", 0.0),
    Figure("overload_recovery_s", "from that load's end until a picture takes its usual time", "s", 4.0),
    Figure("kill_adds_s", "a kill -9 of a worker, to the slowest answer", "s", 2.0),
    Figure("top1_apart_fast", "photos whose label differs from the bare model's", "", 1.0),
    Figure("top1_apart_default", "photos whose label differs from the bare model's", "", 1.0),
    Figure("top1_apart_accurate", "photos whose label differs from the bare model's", "", 1.0),
    Figure(
        "core_ms_over_embedded_backlog", "CPU on AWS beyond the embedded backend's, with a backlog", "ms", 1.5
    ),
    Figure("core_ms_over_embedded_c32", "the same, 32 clients at a time that wait", "ms", 3.0),
    Figure("sqs_requests_per_1000_backlog", "requests to SQS for 1,000 pictures, nobody waits", "", 700.0),
    Figure("sqs_requests_per_1000_c32", "the same, 32 clients at a time that wait", "", 2_500.0),
    Figure("rss_drift", "a worker's memory over 20,000 pictures, last quarter to second", "", 0.05),
    Figure(
        "theory_worst_error", "the simulator against M/M/c and M/D/1: mean wait and p95, worst case", "", 0.03
    ),
    Figure("day_at_10000_s", "to simulate a day at 10,000 pictures a second, on one core", "s", 2.0),
    Figure("compare_s", "to compare ten policies on eight workloads of an hour at 10 a second", "s", 120.0),
    Figure("hours_vs_aws_recipe", "worker-hours of our policy, to AWS's recipe's", "", 0.65),
    Figure("late_share_vs_aws_recipe", "late pictures of our policy, to AWS's recipe's", "", 1.0),
    Figure("hours_vs_best_fast", "worker-hours of our policy, to the best of the fast ones", "", 0.85),
    Figure(
        "late_points_vs_best_fast", "late pictures, percentage points more than the best of those", "", 0.5
    ),
    Figure(
        "fleet_p95_error", "the simulator's p95 against the real fleet's, worst of three workloads", "", 0.25
    ),
    Figure("fleet_capacity_within_one", "of the time, with as many workers give or take one", "", 0.9, True),
    Figure("from_zero_first_answer_s", "from zero workers, 100 pictures at once: the first answer", "s", 3.0),
    Figure("dry_run_s", "`iraas deploy --dry-run`, from the shell", "s", 2.0),
    Figure("from_zero_lost", "of those pictures, without an answer", "", 0.0),
    Figure("generator_core_ms", "CPU of `iraas load` for a request", "ms", 0.6),
    Figure("generator_lateness_p99_ms", "how late `iraas load` is at 300 a second", "ms", 5.0),
)
