"""Looks at the truth -> what a policy can see of it: all of it at once, or CloudWatch's datapoints. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from iraas.scaling.line import Look
from iraas.scaling.metrics import Published
from iraas.scaling.policy import Observation, Policy

METRICS = ("visible", "in_flight", "oldest_age", "responses", "cpu")


class Moment(NamedTuple):
    """One look, and the workers at that time."""

    time: float  # seconds
    seconds: float  # since the last look
    look: Look
    in_service: int
    starting: int
    responses: float  # replies that wait
    service: float  # seconds a picture, as measured
    boot: float = math.nan  # seconds of a worker, as measured
    terminating: int = 0


class Sight(Protocol):
    """Between the truth and a policy."""

    every: float  # seconds between two looks

    def note(self, moment: Moment) -> None:
        """This is how it was."""
        ...

    def observe(self, moment: Moment) -> Observation:
        """What a policy sees at this moment, which was noted."""
        ...


class Direct:
    """A controller of ours beside the queue: it sees what is there now."""

    def __init__(self, policy: Policy, *, every: float | None = None) -> None:
        self.every = every or policy.every

    def note(self, moment: Moment) -> None:
        """Nothing is kept."""

    def observe(self, moment: Moment) -> Observation:
        """The truth since the last look."""
        look = moment.look
        return Observation(
            time=moment.time,
            period=moment.seconds,
            visible=look.visible,
            in_flight=look.in_flight,
            in_service=moment.in_service,
            starting=moment.starting,
            arrivals=look.arrivals,
            answers=look.answers,
            oldest_age=look.oldest_age,
            responses=moment.responses,
            cpu=_busy(moment),
            service=moment.service,
            boot=moment.boot,
            terminating=moment.terminating,
        )


class ByCloudWatch:
    """Alarms: averages of whole periods, some time after they ended. What Auto Scaling knows itself is fresh.

    The queue never sleeps, since a web process reads its attributes at least every five minutes.
    """

    LOOKS = 12  # a period: the truth is sampled, then averaged

    def __init__(self, policy: Policy, *, delay: float) -> None:
        self.every = policy.every / self.LOOKS
        self._period = policy.every
        self._metrics = {
            name: Published(period=policy.every, delay=delay, sleeps_after=None) for name in METRICS
        }

    def note(self, moment: Moment) -> None:
        """Publish it."""
        look = moment.look
        values = (look.visible, look.in_flight, look.oldest_age, moment.responses, _busy(moment))
        for name, value in zip(METRICS, values, strict=True):
            self._metrics[name].add(moment.time, value, moment.seconds)

    def observe(self, moment: Moment) -> Observation:
        """The newest datapoints that can be read."""
        values = {name: metric.datapoints(moment.time, 1)[0] for name, metric in self._metrics.items()}
        return Observation(
            time=moment.time,
            period=self._period,
            in_service=moment.in_service,
            starting=moment.starting,
            terminating=moment.terminating,
            **values,
        )


def _busy(moment: Moment) -> float:
    """The part of their processors that workers used; unknown where there are none."""
    if not moment.in_service:
        return math.nan
    return min(1.0, moment.look.busy / moment.in_service)
