"""sensor -> policy -> fleet, again and again. Knows neither processes nor queues: its two ports do.

look, look, look, look, decide ── another capacity ──> fleet.set, and a word on why
                               └─ the same ──────────> fleet.set: what was busy may be idle by now
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.fleet.port import FleetState
from iraas.scaling.policy import Decision, History, Observation, Policy
from iraas.telemetry import Log

LOOK_SECONDS = 0.25  # between two samples; also how soon the first worker of a sleeping fleet is started
LOOK_SHARE = 0.05  # of the time at most that looking may take: a deep queue takes longer to count
MOST_PAUSE_SECONDS = 5.0  # between two samples, however long one took: a disk may stall, a machine may sleep
QUICK_SECONDS = 5.0  # a policy that wants to be asked as often as this does not count its datapoints


class Followed(Protocol):
    """A plan, as `Plan` is one. Its bounds may change while it is followed."""

    @property
    def minimum(self) -> int:
        """Workers that there always are."""
        ...

    @property
    def maximum(self) -> int:
        """Workers that there are at most."""
        ...

    @property
    def policy(self) -> Policy:
        """The rule between them."""
        ...

    def decide(self, seen: Observation, history: History) -> Decision:
        """What the policy says, between the bounds."""
        ...


class Sensor(Protocol):
    """What a controller sees by."""

    @property
    def backlog(self) -> int:
        """Jobs that are not ended, when last looked."""
        ...

    async def look(self) -> None:
        """Take one sample. Raises `BackendUnavailable`."""
        ...

    def observe(self, *, in_service: int, starting: int, terminating: int) -> Observation:
        """What there is now, and what came and went since this was last asked."""
        ...


class Steered(Protocol):
    """What a controller acts on."""

    def state(self) -> FleetState:
        """How many workers there are."""
        ...

    async def set(self, capacity: int) -> None:
        """Have so many workers, as soon as may be without taking a busy one. Repeated with each decision."""
        ...


class Witness(Protocol):
    """Who is told of what happens."""

    def decided(self, before: int, capacity: int, reason: str) -> None:
        """There shall be another number of workers."""
        ...

    def trouble(self, kind: str, reason: str, *, capacity: int) -> None:
        """Something keeps the fleet from being as it should."""
        ...


class Controller:
    """Follows a plan.

    1. What it asks for lies between the plan's minimum and maximum, whatever a policy or a clock says.
    2. As long as a job is not ended, there is a worker for it, or one is started: accepted is answered.
    3. A policy is asked every `longest` seconds, or as rarely as it wants: one that evaluates alarms counts
       its datapoints, and would act with each of them.
    4. While nothing can be seen, nothing is changed.
    """

    def __init__(
        self,
        *,
        plan: Followed,
        sensor: Sensor,
        fleet: Steered,
        witness: Witness,
        clock: Clock,
        longest: float = 1.0,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.wanted = plan.minimum  # workers, as last decided
        self._plan = plan
        self._sensor = sensor
        self._fleet = fleet
        self._witness = witness
        self._clock = clock
        self._look_seconds = look_seconds
        self._begun = False
        every = plan.policy.every
        self._quick = every <= QUICK_SECONDS
        self._every = min(every, longest) if self._quick else every
        self._history = History()
        self._decided_at = clock.boot()

    def begin(self, capacity: int, reason: str) -> None:
        """Begin with so many workers, which are there already; else `run` begins with the minimum."""
        self.wanted = max(self._plan.minimum, min(self._plan.maximum, capacity))
        self._begun = True
        self._witness.decided(0, self.wanted, reason)

    async def run(self) -> None:
        """Until cancelled. An error of one turn is logged, and the next one comes."""
        if not self._begun:
            self.begin(self._plan.minimum, "started with the minimum")
        while True:
            begun = time.monotonic()
            try:
                await self.turn()
            except Exception as error:  # noqa: BLE001 - whatever it is, the fleet is looked after again
                Log()("background.failed", level="error", task="scaling", error=repr(error))
            pause = (time.monotonic() - begun) / LOOK_SHARE
            await asyncio.sleep(min(MOST_PAUSE_SECONDS, max(self._look_seconds, pause)))

    async def turn(self) -> None:
        """Look, and decide when it is time."""
        try:
            await self._sensor.look()
        except IraasError as error:
            reason = f"{error.detail}; while that cannot be seen, the fleet stays as it is"
            self._witness.trouble("queue", reason, capacity=self.wanted)
            return
        elapsed = self._clock.boot() - self._decided_at
        starved = self.wanted == 0 and self._sensor.backlog > 0
        if not 0 <= elapsed < self._every - self._look_seconds / 2 or (starved and self._quick):
            await self._decide()
        elif starved:  # a policy that counts its datapoints is not asked out of turn
            await self._follow(self._first_worker())

    async def _decide(self) -> None:
        self._decided_at = self._clock.boot()
        seen = self._observe()
        try:
            decision = self._plan.decide(seen, self._history)
        except Exception as error:  # noqa: BLE001 - a policy's mistake must not leave jobs without a worker
            self._witness.trouble("policy", f"the policy failed: {error!r}", capacity=self.wanted)
            decision = Decision(self.wanted, "as it was: the policy failed")
        if decision.capacity == 0 and self._sensor.backlog > 0:
            decision = self._first_worker()
        await self._follow(decision)

    def _first_worker(self) -> Decision:
        return Decision(
            1, f"1 for the {self._sensor.backlog} that would wait for ever, as there is no worker"
        )

    def _observe(self) -> Observation:
        """What was told to go and is busy still is none of the capacity that a policy adds to."""
        state = self._fleet.state()
        leaving = max(0, state.capacity - self.wanted)
        in_service = max(0, state.in_service - leaving)
        return self._sensor.observe(
            in_service=in_service,
            starting=min(state.starting, max(0, self.wanted - in_service)),
            terminating=leaving + state.draining,
        )

    async def _follow(self, decision: Decision) -> None:
        before = self.wanted
        self.wanted = max(self._plan.minimum, min(self._plan.maximum, decision.capacity))
        if self.wanted != before:
            self._witness.decided(before, self.wanted, decision.reason)
        await self._fleet.set(self.wanted)
