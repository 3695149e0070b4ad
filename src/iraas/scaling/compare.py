"""policies x workloads -> rows of one table; pure. Every policy gets the very same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.result import Result
from iraas.scaling.scenario import Scenario
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import SHAPES, Burst, Workload, shape

BURST_CLIENTS = 100  # the course's generator posts so many at once


class Entry(NamedTuple):
    """One policy on one workload."""

    policy: str
    workload: str
    deployable: bool  # by CloudWatch and Auto Scaling alone
    result: Result

    def as_json(self) -> dict[str, object]:
        """The numbers."""
        return {
            "policy": self.policy,
            "workload": self.workload,
            "deployable": self.deployable,
            **self.result.as_json(),
        }


class Total(NamedTuple):
    """A policy over all workloads."""

    policy: str
    late_share: float  # the mean over the workloads
    instance_hours: float  # the sum
    reversals: float  # the mean


def workloads(*, rate: float, duration: float, seed: int) -> dict[str, Workload | Burst]:
    """All that there are: the shapes, and the burst of a hundred clients that wait for their answers."""
    shapes: dict[str, Workload | Burst] = {
        name: shape(name, rate=rate, duration=duration, seed=seed) for name in SHAPES
    }
    return {**shapes, "burst": Burst(clients=BURST_CLIENTS, requests=10 * BURST_CLIENTS)}


def compare(
    policies: Mapping[str, AnyPolicy],
    work: Mapping[str, Workload | Burst],
    base: Scenario,
    *,
    minimum: int,
    maximum: int,
    on_run: Callable[[str], None] = lambda _: None,
) -> Iterator[Entry]:
    """Each policy on each workload, under the conditions of `base`. `on_run` is told what comes next."""
    for name, workload in work.items():
        for title, policy in policies.items():
            on_run(f"{title} on {name}")
            plan = Plan(minimum=minimum, maximum=maximum, policy=policy)
            result = simulate(replace(base, workload=workload, plan=plan, fixed=None))
            yield Entry(title, name, policy.deployable, result)


def totals(entries: Iterable[Entry]) -> list[Total]:
    """Each policy over all its workloads, the least late first, and the cheaper of two that are as late."""
    found: dict[str, list[Result]] = {}
    for entry in entries:
        found.setdefault(entry.policy, []).append(entry.result)
    rows = [
        Total(
            policy,
            sum(result.late_share for result in results) / len(results),
            sum(result.instance_hours for result in results),
            sum(result.reversals for result in results) / len(results),
        )
        for policy, results in found.items()
    ]
    return sorted(rows, key=lambda row: (round(row.late_share, 3), row.instance_hours))
