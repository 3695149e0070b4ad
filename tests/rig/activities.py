"""what a group did -> the records that DescribeScalingActivities gives, the latest first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["InProgress", "MidLifecycleAction", "Successful", "Failed", "Cancelled"]


@dataclass
class Activity:
    """One scaling activity; times are rig seconds."""

    group: str
    description: str
    cause: str
    begun: float
    status: Status = "InProgress"
    message: str = ""
    ended: float | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def end(self, now: float, status: Status, message: str = "") -> None:
        """It came to an end; a second one changes nothing."""
        if self.ended is None:
            self.ended, self.status, self.message = now, status, message

    @property
    def progress(self) -> int:
        """Percent, as AWS tells it: in halves."""
        return 100 if self.ended is not None else 50


class Activities:
    """All that a group did. `iso` turns rig seconds into the time that causes are told in."""

    def __init__(self, group: str, now: Callable[[], float], iso: Callable[[float], str]) -> None:
        self._group, self._now, self._iso = group, now, iso
        self._all: list[Activity] = []

    def begin(self, description: str, cause: str) -> Activity:
        """Something begins."""
        activity = Activity(self._group, description, f"At {self._iso(self._now())} {cause}.", self._now())
        self._all.append(activity)
        return activity

    def latest(self) -> list[Activity]:
        """The latest first."""
        return self._all[::-1]
