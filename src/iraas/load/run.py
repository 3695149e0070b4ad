"""Plan, pictures, target -> Run: requests at their times, each answer timed and judged.

closed  clients ── ask ── answer ── ask ──        each sends its next when it has its answer
open    due times ── ask at that time             whatever comes back; time counts from when a request was due
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import uvloop

from iraas.load.label import FindLabel
from iraas.load.observed import ObservedFleet
from iraas.load.pictures import Pictures
from iraas.load.plan import Closed, Open
from iraas.load.tally import Outcome, Tally
from iraas.load.target import Reply, Target
from iraas.load.verdict import Verdicts

REFUSALS = frozenset({429, 503})
LEAD_SECONDS = 0.05  # before the first request of an open loop is due: the loop has to run


@dataclass
class Run:
    """What there was to see."""

    tally: Tally = field(default_factory=Tally)
    fleet: ObservedFleet = field(default_factory=ObservedFleet)
    unlabelled: bytes = b""  # the first answer in which no label was found
    begun_at: float = 0.0  # wall time, seconds
    seconds: float = 0.0  # from the first request until the last answer
    cpu_seconds: float = 0.0  # of this process meanwhile
    stopped: bool = False  # by the user, before its end


class Generator:
    """Sends the pictures in turn, and keeps what came of each request."""

    def __init__(
        self,
        target: Target,
        pictures: Pictures,
        find_label: FindLabel,
        verdicts: Verdicts,
        run: Run,
        advance: Callable[[], object],
    ) -> None:
        self._target = target
        self._pictures = pictures
        self._find_label = find_label
        self._verdicts = verdicts
        self._run = run
        self._advance = advance
        self._numbers = itertools.cycle(range(len(pictures)))
        self._begun = time.monotonic()

    async def drive(self, plan: Closed | Open) -> None:
        """Send what the plan says, until the last answer is there."""
        await (self._closed(plan) if isinstance(plan, Closed) else self._open(plan))

    async def _closed(self, plan: Closed) -> None:
        end = np.inf if plan.seconds is None else self._begun + plan.seconds
        todo = itertools.count() if plan.requests is None else iter(range(plan.requests))

        async def client() -> None:
            for _ in todo:  # shared: the next request is sent by whoever is free
                now = time.monotonic()
                if now >= end:
                    return
                await self._ask(now)

        async with asyncio.TaskGroup() as clients:
            for _ in range(min(plan.clients, plan.requests or plan.clients)):
                clients.create_task(client())

    async def _open(self, plan: Open) -> None:
        self._begun = time.monotonic() + LEAD_SECONDS
        slots = asyncio.Semaphore(plan.max_open)

        async def ask(due: float) -> None:
            try:
                await self._ask(due)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as asked:
            for times in plan.workload.arrivals(np.random.default_rng(plan.seed)):
                for due in (self._begun + times).tolist():
                    if (early := due - time.monotonic()) > 0:
                        await asyncio.sleep(early)
                    await slots.acquire()
                    asked.create_task(ask(due))

    async def _ask(self, due: float) -> None:
        """One request. `due` is in monotonic seconds."""
        number = next(self._numbers)
        try:
            form = await self._pictures.form(number)
        except OSError as error:
            self._run.tally.add(
                due - self._begun, 0.0, 0.0, Outcome.MISSING, f"picture: {error.strerror or error}"
            )
            self._advance()
            return
        sent = time.monotonic()
        reply = await self._target.ask(form)
        answered = time.monotonic()
        outcome, why = self._judge(number, reply)
        # The loop wakes up to half a millisecond early: that must not shorten the latency.
        self._run.tally.add(due - self._begun, max(0.0, sent - due), answered - min(due, sent), outcome, why)
        self._advance()

    def _judge(self, number: int, reply: Reply) -> tuple[Outcome, str]:
        if reply.trouble:
            return Outcome.MISSING, reply.trouble
        if reply.status in REFUSALS:
            return Outcome.REFUSED, str(reply.status)
        if not 200 <= reply.status < 300:
            return Outcome.MISSING, str(reply.status)
        label = self._find_label(reply.body)
        if label is None:
            self._run.unlabelled = self._run.unlabelled or reply.body[:200] or b"(nothing)"
            return Outcome.MISSING, f"{reply.status} without a label"
        return (Outcome.RIGHT if self._verdicts.is_right(number, label) else Outcome.WRONG), ""


def run_load(
    plan: Closed | Open,
    target: Target,
    pictures: Pictures,
    *,
    find_label: FindLabel,
    verdicts: Verdicts,
    advance: Callable[[], object] = lambda: None,
) -> Run:
    """Put the load on, and watch the fleet meanwhile. Ctrl-C ends it early, with what there is.

    Raises `ConfigurationError` when the target cannot be reached at the beginning.
    """
    run = Run()

    async def drive() -> None:
        async with target:
            generator = Generator(target, pictures, find_label, verdicts, run, advance)
            watching = asyncio.create_task(run.fleet.watch(target.fleet))
            run.begun_at, begun, cpu = time.time(), time.monotonic(), time.process_time()
            try:
                await generator.drive(plan)
            finally:
                run.seconds, run.cpu_seconds = time.monotonic() - begun, time.process_time() - cpu
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(drive())
        except KeyboardInterrupt:
            run.stopped = True
    return run
