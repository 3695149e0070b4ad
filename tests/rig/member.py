"""One instance of a group of the rig, from its launch to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.rig.activities import Activity
from tests.rig.metadata import InstanceMetadata

State = Literal["Pending", "InService", "Terminating:Wait", "Terminating:Proceed", "Terminated"]


@dataclass(eq=False)
class Member:
    """An instance; times are rig seconds."""

    id: str
    zone: str
    launched: float
    metadata: InstanceMetadata
    activity: Activity  # the launch, then the end
    template: int = 1  # version of the launch template
    state: State = "Pending"
    in_service: float | None = None  # since when
    protected: bool = False
    healthy: bool = True
    at_risk: bool = False  # EC2 recommended to replace it
    unwanted: str = ""  # why it ends as soon as it is launched
    taken_at: float | None = None  # when EC2 takes it back
    waits_until: float = 0.0  # in Terminating:Wait
    waits_at_most: float = 0.0
    left_by: str = (
        ""  # how its hook ended: CONTINUE, ABANDON, "timed out", "died"; empty: it has not, or there is none
    )
    terminating: float | None = None  # since when it is to end
    ended: float | None = None
    protections: int = 0  # calls that changed or confirmed its protection
    beats: int = 0  # heartbeats of its hook

    @property
    def counts(self) -> bool:
        """Whether it is part of the group's size."""
        return self.state in {"Pending", "InService"}
