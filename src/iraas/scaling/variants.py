"""A policy by its name -> the settings of it that are worth trying; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from iraas.scaling.contenders import Facts
from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.policies.per_worker import JobsPerWorker
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking


def variants(policy: AnyPolicy, facts: Facts) -> Iterator[AnyPolicy]:
    """The policy with one of its settings changed, each way that may help; what a policy refuses is left out."""
    for changes in _changes(policy, facts):
        try:
            yield msgspec.structs.replace(policy, **changes)
        except ValueError:
            continue


def _changes(policy: AnyPolicy, facts: Facts) -> Iterator[dict[str, Any]]:
    match policy:
        case Staffing():
            yield from ({"hold": hold} for hold in (60.0, 180.0, 600.0))
            yield from ({"share": share} for share in (0.05, 0.01, 0.002))
            yield from ({"patience": patience} for patience in (1.0, 2.5, 5.0))
            yield {"fast": 20.0, "slow": 60.0}
        case JobsPerWorker():
            each = facts.objective / facts.service
            yield from ({"target": 1.0 + part * each} for part in (0.05, 0.1, 0.25, 0.5))
            yield from ({"hold": hold} for hold in (120.0, 300.0, 600.0))
        case SpareCapacity():
            yield from ({"packing": packing} for packing in (0.8, 1.0, 1.25, 1.5))
            yield from ({"hold": hold} for hold in (120.0, 260.0, 600.0))
        case Tracking():
            yield from (
                {"tracking": msgspec.structs.replace(policy.tracking, target=policy.tracking.target * factor)}
                for factor in (0.5, 0.75, 1.25)
            )
        case StepAlarms() | SimpleAlarms():
            for factor in (0.25, 0.5, 2.0):
                out, back = policy.out_when, policy.in_when
                yield {
                    "out_when": msgspec.structs.replace(out, threshold=out.threshold * factor),
                    "in_when": msgspec.structs.replace(back, threshold=back.threshold * factor),
                }
        case _:
            return
