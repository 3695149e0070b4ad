"""What is simulated: which pictures come, who serves them, and who decides how many serve; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from iraas.scaling.instances import Boot, Spot
from iraas.scaling.plan import Plan
from iraas.scaling.service import Service
from iraas.scaling.workloads import Burst, Workload

PRICE = 0.0446  # US dollars for half an hour of c7i.large: two cores, one a worker; us-east-1, 2026-11

Wish = Literal["auto", "exact", "steps"]
ScaleIn = Literal["protected", "drained", "killed"]


@dataclass(frozen=True)
class Scenario:
    """Everything that a simulation depends on. Raises `ValueError`."""

    workload: Workload | Burst
    service: Service
    plan: Plan | None = None  # None: `fixed` workers
    fixed: int | None = None  # workers, all the time
    boot: Boot = Boot()  # noqa: RUF009 - frozen
    spot: Spot | None = None
    scale_in: ScaleIn = "protected"  # idle workers only; busy ones end what they hold; or they just end
    hook: float = 600.0  # seconds that a busy one may take to finish, where it may finish at all
    objective: float = 2.0  # seconds that a picture may wait
    patience: float = math.inf  # seconds after which a client is gone; its picture is answered all the same
    visibility_timeout: float = 30.0  # seconds
    every: float | None = None  # seconds between two decisions of a controller; None: as its policy asks
    metric_delay: float = 60.0  # seconds until CloudWatch shows a minute of SQS's metrics
    reply_seconds: float = 0.1  # that a reply waits for its web process
    seed: int = 0
    mode: Wish = "auto"
    price: float = PRICE  # of an instance-hour

    @property
    def title(self) -> str:
        """Who decides, in a few words."""
        return self.plan.policy.title if self.plan else f"{self.fixed} workers, fixed"

    def __post_init__(self) -> None:
        if (self.plan is None) == (self.fixed is None):
            raise ValueError("fixed: give either a policy or a fixed number of workers")
        if self.fixed is not None and self.fixed < 1:
            raise ValueError(f"fixed: {self.fixed} workers would answer nothing; give 1 or more")
        for name in ("objective", "patience", "visibility_timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name):g} is no time; give seconds above 0")
        if self.mode not in get_args(Wish):
            raise ValueError(f"mode: {self.mode!r} is not known; use {', '.join(get_args(Wish))}")
        if self.mode == "steps" and isinstance(self.workload, Burst):
            raise ValueError(
                "mode: clients that wait for their answers are simulated exactly; leave out `steps`"
            )
