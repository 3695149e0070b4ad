"""instances that may end -> the one that ends first. The default termination policy of EC2 Auto Scaling.

Page "Configure termination policies", section on the default policy: of the zone with the most instances, those with
the oldest launch template; of these the one closest to the next billing hour. (Before them stands the balance of spot
and on-demand instances, which the rig has not; equal ones are taken at random, and here by their age.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

HOUR = 3_600.0  # seconds


class Candidate(Protocol):
    """What the policy looks at."""

    zone: str
    template: int
    launched: float


_Candidate = TypeVar("_Candidate", bound=Candidate)


def first_to_end(candidates: Sequence[_Candidate], everyone: Sequence[_Candidate], now: float) -> _Candidate:
    """Who of the `candidates` ends, where `everyone` counts for the balance of zones."""
    crowd = Counter(member.zone for member in everyone)
    return min(
        candidates,
        key=lambda member: (
            -crowd[member.zone],
            member.template,
            HOUR - (now - member.launched) % HOUR,
            member.launched,
        ),
    )
