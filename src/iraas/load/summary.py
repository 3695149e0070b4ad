"""Run -> Summary: the figures of a load, for people and as JSON."""

from __future__ import annotations

import math

import msgspec

from iraas.load.plan import Closed, Open
from iraas.load.run import Run
from iraas.load.tally import Latency, Outcome
from iraas.load.verdict import Wrong

MOST_WHY = 20  # reasons that are told apart


class FleetSummary(msgspec.Struct, frozen=True):
    """How far the service went."""

    peak_waiting: float
    peak_workers: float  # in service
    decisions: int


class Summary(msgspec.Struct, frozen=True):
    """What came of a load."""

    url: str
    load: str  # in words: `32 clients`, `steady`
    asked: int
    right: int
    wrong: int
    refused: int  # 429 and 503
    missing: int
    why: dict[str, int]  # of what is refused or missing
    seconds: float
    answers_per_second: float
    latency_ms: Latency | None  # of answers, from when they were due
    lateness_ms: Latency | None  # of the generator; None in a closed loop, where nothing is due
    core_ms: float  # CPU of the generator, a request
    first_wrong: list[Wrong]
    fleet: FleetSummary | None
    stopped: bool

    @property
    def is_good(self) -> bool:
        """Whether everything that was asked got its right answer, and everything was asked."""
        return 0 < self.asked == self.right and not self.stopped


def summarise(run: Run, plan: Closed | Open, *, url: str, first_wrong: list[Wrong]) -> Summary:
    """The figures of a run."""
    right, wrong, refused, missing = (run.tally.count(outcome) for outcome in Outcome)
    asked = len(run.tally)
    samples = run.fleet.samples
    fleet = FleetSummary(
        peak_waiting=max((sample.waiting for sample in samples), default=math.nan),
        peak_workers=max((sample.in_service for sample in samples), default=math.nan),
        decisions=len(run.fleet.decisions),
    )
    return Summary(
        url=url,
        load=plan.words,
        asked=asked,
        right=right,
        wrong=wrong,
        refused=refused,
        missing=missing,
        why=dict(run.tally.why.most_common(MOST_WHY)),
        seconds=run.seconds,
        answers_per_second=(right + wrong) / run.seconds if run.seconds else 0.0,
        latency_ms=run.tally.latency_ms,
        lateness_ms=run.tally.lateness_ms if isinstance(plan, Open) else None,
        core_ms=1000 * run.cpu_seconds / asked if asked else 0.0,
        first_wrong=first_wrong,
        fleet=fleet if samples else None,
        stopped=run.stopped,
    )
