"""Scenario -> Result: arrivals, queue, workers, policy and instances together; pure, and the same for the same seed.

workload ─> line (exact or in steps) ─ look ─> sight (what a policy can see) ─ decide ─> group (boots, ends) ─> line
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from iraas.scaling.exact import ExactLine
from iraas.scaling.group import Group
from iraas.scaling.instances import HOUR, Event
from iraas.scaling.line import Line
from iraas.scaling.policy import History
from iraas.scaling.result import Change, Mode, Result, Timeline, reversals, share_beyond, spread_of
from iraas.scaling.scenario import Scenario
from iraas.scaling.sight import ByCloudWatch, Direct, Moment, Sight
from iraas.scaling.steps import StepLine
from iraas.scaling.workloads import Burst

EXACT_EVENTS = 5_000_000  # arrivals and answers: some seconds; beyond, steps tell as much
LOOKS_AT_FIXED = 1_000  # in all, where nobody decides
STEP = 1.0  # seconds; a policy that looks more often gets shorter ones
SERVICES = 10.0  # service times: what is shorter than that, the fluid cannot tell, so that shorter steps tell no more
STEPS_FOR_DETAIL = 86_400  # a second of computing: as short as it allows, down to that
STEPS_AT_MOST = 500_000
OVERTIME = (
    3_600.0  # seconds after a workload's end for what is not answered: some policies never start a worker
)
BURST_AT_MOST = 86_400.0  # seconds


def simulate(scenario: Scenario, on_progress: Callable[[float], None] = lambda _: None) -> Result:
    """Play a scenario until everything is answered. `on_progress` gets the part that is done, 0 to 1."""
    return _Simulation(scenario).run(on_progress)


def mode_of(scenario: Scenario) -> Mode:
    """Picture by picture while that is cheap, and always where answers bring new pictures."""
    if scenario.mode != "auto":
        return scenario.mode
    if isinstance(scenario.workload, Burst) or scenario.workload.expected * 2 <= EXACT_EVENTS:
        return "exact"
    return "steps"


class _Simulation:
    """One run."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        work, fate = (np.random.default_rng(seed) for seed in np.random.SeedSequence(scenario.seed).spawn(2))
        self._duration = 0.0 if isinstance(scenario.workload, Burst) else scenario.workload.duration
        self._sight = _sight(scenario)
        self._every = self._sight.every if self._sight else max(1.0, self._duration / LOOKS_AT_FIXED)
        self._mode = mode_of(scenario)
        self._line = _line(scenario, self._mode, work, self._every)
        self._group = Group(
            scenario.boot,
            fate,
            spot=scenario.spot,
            hook=scenario.hook if scenario.scale_in == "drained" else 0.0,
            protect_busy=scenario.scale_in == "protected",
        )
        self._history = History()
        self._serving: set[int] = set()  # instances that the line has as workers
        self._looks = 0
        self._pace = _pace(scenario)
        self._next_decision = self._pace
        self._drained: list[tuple[float, int]] = []  # when an instance that was taken has ended what it held
        self._peak = 0
        self._rows: list[tuple[float, ...]] = []
        self._changes: list[Change] = []

    def run(self, on_progress: Callable[[float], None]) -> Result:
        """From the beginning to the end."""
        scenario = self._scenario
        begin = scenario.plan.minimum if scenario.plan else scenario.fixed or 0
        self._group.launch(0.0, begin, ready=True)
        self._line.add(begin)
        self._serving.update(self._group.instances("in service"))
        self._peak = begin
        last = max(self._duration + OVERTIME, BURST_AT_MOST if not self._duration else 0.0)
        now = 0.0
        while now < last and not (now >= self._duration and self._line.done):
            drained = self._drained[0][0] if self._drained else math.inf
            # A product, since a sum of so many would drift from CloudWatch's periods.
            look = (self._looks + 1) * self._every
            now = min(look, self._group.next, drained)
            self._line.advance(now)
            for event in self._group.due(now):
                self._happen(event)
            while self._drained and self._drained[0][0] <= now:
                self._group.drained(*heappop(self._drained))
            if now >= look:
                self._look(now)
                on_progress(min(1.0, now / (self._duration or BURST_AT_MOST)))
        on_progress(1.0)
        return self._result(now)

    def _happen(self, event: Event) -> None:
        """An instance came into service, or goes without a scale-in."""
        spot, number = self._scenario.spot, event.instance
        if event.change == "in service":
            self._line.add(1)
            self._serving.add(number)
            self._peak = max(self._peak, len(self._serving))
        elif number not in self._serving or spot is None:
            return  # one that was still booting, or has stopped before
        elif event.change == "noticed" and spot.notice > 0:
            self._line.remove(1, busy=True)  # it stops taking pictures, and has two minutes for what it holds
            self._serving.discard(number)
        elif event.change == "interrupted":
            self._line.kill()
            self._serving.discard(number)

    def _look(self, now: float) -> None:
        look = self._line.look()
        seconds = self._every
        self._looks += 1
        group = self._group
        self._rows.append(
            (now, look.arrivals, look.visible, look.in_flight, group.in_service, group.capacity)
        )
        if self._sight is None:
            return
        scenario = self._scenario
        moment = Moment(
            now,
            seconds,
            look,
            group.in_service,
            group.capacity - group.in_service,
            responses=look.answers / seconds * scenario.reply_seconds,
            service=scenario.service.seconds,
            boot=scenario.boot.seconds,
            terminating=group.terminating,
        )
        self._sight.note(moment)
        if now >= self._next_decision - 1e-6:
            self._decide(now, moment)

    def _decide(self, now: float, moment: Moment) -> None:
        plan, group = self._scenario.plan, self._group
        assert plan is not None
        assert self._sight is not None
        self._next_decision = now + self._pace
        decision = plan.decide(self._sight.observe(moment), self._history)
        if decision.capacity == group.capacity:
            group.wanted = decision.capacity
            return
        before, serving = group.capacity, group.in_service
        idle = self._line.idle
        taken = group.set(now, decision.capacity, busy=max(0, serving - idle))
        leaving = serving - group.in_service
        self._serving.difference_update(taken)
        if leaving:
            self._take(now, taken, leaving)
        if group.capacity != before:
            self._changes.append(Change(now, before, group.capacity, decision.reason))

    def _take(self, now: float, taken: list[int], leaving: int) -> None:
        """Instances in service were chosen to go."""
        if self._scenario.scale_in == "killed":
            for _ in range(leaving):
                self._line.kill()
            return
        gone = self._line.remove(leaving, busy=self._scenario.scale_in == "drained")
        for instance, at in zip(taken, gone, strict=False):
            if at > now:
                heappush(self._drained, (at, instance))
            else:
                self._group.drained(now, instance)

    def _result(self, now: float) -> Result:
        scenario, outcome = self._scenario, self._line.outcome()
        answered = float(outcome.weight.sum())
        arrivals = answered if self._line.done else max(answered, float(self._line.came))
        end = max(now, self._duration)
        hours = self._group.billed(end) / HOUR
        columns = np.array(self._rows, dtype=np.float64).reshape(-1, len(Timeline._fields))
        return Result(
            mode=self._mode,
            arrivals=arrivals,
            answered=answered,
            wait=spread_of(outcome.wait, outcome.weight),
            latency=spread_of(outcome.latency, outcome.weight),
            late_share=share_beyond(outcome.wait, outcome.weight, scenario.objective, of=arrivals),
            gave_up_share=share_beyond(outcome.latency, outcome.weight, scenario.patience, of=arrivals),
            instance_hours=hours,
            peak=self._peak,
            reversals=reversals(self._changes),
            cost_per_million=hours * scenario.price / answered * 1e6 if answered else 0.0,
            seconds=now,
            changes=tuple(self._changes),
            timeline=Timeline(*columns.T),
            outcome=outcome,
        )


def _pace(scenario: Scenario) -> float:
    """Seconds between two decisions."""
    if scenario.plan is None:
        return math.inf
    policy = scenario.plan.policy
    return policy.every if policy.deployable else scenario.every or policy.every


def _sight(scenario: Scenario) -> Sight | None:
    if scenario.plan is None:
        return None
    policy = scenario.plan.policy
    if policy.deployable:
        return ByCloudWatch(policy, delay=scenario.metric_delay)
    return Direct(policy, every=scenario.every)


def _line(scenario: Scenario, mode: Mode, rng: np.random.Generator, every: float) -> Line:
    workload, timeout = scenario.workload, scenario.visibility_timeout
    if mode == "exact" or isinstance(workload, Burst):
        kills = scenario.scale_in == "killed" or (scenario.spot is not None and not scenario.spot.notice)
        return ExactLine(
            workload,
            scenario.service,
            rng,
            visibility_timeout=timeout,
            patience=scenario.patience,
            kills=kills,
        )
    detail = max(SERVICES * scenario.service.seconds, workload.duration / STEPS_FOR_DETAIL)
    step = max(min(STEP, every, detail), workload.duration / STEPS_AT_MOST)
    return StepLine(workload, scenario.service, rng, step=step, visibility_timeout=timeout)
