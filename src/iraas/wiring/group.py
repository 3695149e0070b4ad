"""Settings -> the fleet of a deployment on AWS, as its web processes see it, and what they do for it.

publisher ── group, sums ──> fleet, sensor ── looks ──> controller ── wanted ──> fleet ── lacking ──> publisher
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from iraas.clock import Clock
from iraas.errors import ConfigurationError
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.ec2_calls import Service
from iraas.fleet.ec2_fleet import Ec2Fleet
from iraas.fleet.ec2_metrics import Metrics, Others
from iraas.fleet.ec2_publisher import Publisher
from iraas.scaling.by_instance import ByInstance, unseen
from iraas.scaling.controller import Controller
from iraas.scaling.group_sensor import GroupSensor
from iraas.scaling.plan import Plan
from iraas.scaling.policies.staffing import Staffing
from iraas.settings import Settings
from iraas.wiring.backend import Background, Sight
from iraas.wiring.policy_file import read_policy

MOST_INSTANCES = 10  # of the default plan; the group's own bounds count
LOOKS = 10  # in a period: a look a second
DECISIONS = 2  # in a period: our own policy was measured with one each 5 s
TROUBLE_SECONDS = 300.0  # between two words of one kind of trouble: a permission may be missing for days


def group_plan(settings: Settings) -> Plan:
    """The policy that drives the app tier's group; its bounds are instances. Raises `ConfigurationError`."""
    if not settings.policy:
        return Plan(maximum=MOST_INSTANCES, policy=Staffing())
    plan = read_policy(Path(settings.policy))
    hidden = [] if plan.policy.deployable else unseen(plan.policy)
    if hidden:
        raise ConfigurationError(
            f"the policy {settings.policy}: a part of it watches {' and '.join(hidden)}, which a web process on AWS "
            "cannot see; leave that part out, or take a policy all parts of which can be deployed as alarms"
        )
    return plan


class GroupFleet:
    """The app tier's group: who knows of it, and who steers it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._service_seconds: Callable[[], float] = lambda: math.nan
        self.plan = plan = group_plan(settings)
        self._steered = not plan.policy.deployable
        workers = settings.workers_per_instance
        self._chronicle = Chronicle(
            None,
            clock=clock,
            minimum=plan.minimum * workers,
            maximum=plan.maximum * workers,
            policy=plan.policy.title,
            service_seconds=lambda: self._service_seconds(),
            trouble_seconds=TROUBLE_SECONDS,
        )
        self.fleet = Ec2Fleet(
            settings.app_group,
            workers_per_instance=workers,
            period=settings.publish_every,
            decides_every=plan.policy.every if self._steered else None,
            chronicle=self._chronicle,
            clock=clock,
        )

    def background(
        self,
        sight: Sight,
        *,
        cloudwatch: Service,
        auto_scaling: Service,
        waiting: Callable[[], Awaitable[int]],
    ) -> Mapping[str, Background]:
        """What a web process does beside its requests. `waiting`: replies in its own response queue."""
        settings, clock, fleet = self._settings, self._clock, self.fleet
        period = settings.publish_every
        self._service_seconds = sight.service_seconds
        others = Others(period=period)
        replies = math.nan

        async def depth() -> dict[str, float]:
            found = await sight.depth()
            return {"Visible": found.visible, "InFlight": found.in_flight}

        async def responses() -> dict[str, float]:
            nonlocal replies
            replies = await waiting()
            return {"Responses": replies}

        publisher = Publisher(
            metrics=Metrics(cloudwatch, stack=settings.stack, period=period),
            others=others,
            fleet=fleet,
            describe=partial(
                auto_scaling.call, "DescribeAutoScalingGroups", AutoScalingGroupNames=[settings.app_group]
            ),
            readings={"queue": depth, "replies": responses},
            accepted=sight.accepted,
            chronicle=self._chronicle,
            clock=clock,
            period=period,
        )
        if not self._steered:
            return {"metrics": publisher.keep}
        controller = Controller(
            plan=ByInstance(
                self.plan.policy,
                workers_per_instance=settings.workers_per_instance,
                bounds=lambda: fleet.bounds,
            ),
            sensor=GroupSensor(
                depth=sight.depth,
                check=fleet.check,
                own=sight.accepted,
                others=lambda: others.rate(clock.time()),
                replies=lambda: replies,
                service_seconds=sight.service_seconds,
                clock=clock,
            ),
            fleet=fleet,
            witness=self._chronicle,
            clock=clock,
            longest=period / DECISIONS,
            look_seconds=period / LOOKS,
        )

        async def steer() -> None:
            await publisher.known.wait()
            controller.begin(fleet.state().capacity, "found when this process started")
            await controller.run()

        return {"metrics": publisher.keep, "scaling": steer}
