"""objective, traffic, boot time -> the cheapest policy that meets it, and its minimum; pure.

Rules are tried with every minimum that may be needed, the best of them in other settings, all on the seeds of
`TUNED_ON`; what is reported was measured on those of `REPORTED_ON`, which no choice has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from iraas.scaling.contenders import Facts
from iraas.scaling.plan import Plan
from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.variants import variants

TUNED_ON = (1, 2, 3)
REPORTED_ON = (11, 12, 13)
MAY_BE_LATE = 0.05  # of the pictures: an objective is a p95
FINALISTS = 3  # rules whose other settings are tried
RUNNERS_UP = 3


class Score(NamedTuple):
    """A plan on one seed, or the mean over several."""

    late_share: float
    instance_hours: float
    p95: float  # seconds of wait
    cost_per_million: float


class Candidate(NamedTuple):
    """A plan that was tried."""

    name: str  # of the rule
    plan: Plan
    score: Score

    @property
    def rank(self) -> tuple[float, float]:
        """Smaller is better: first what keeps to the objective, the cheapest of it; then what comes nearest to it."""
        beyond = max(0.0, self.score.late_share - MAY_BE_LATE)
        return (round(beyond, 4), self.score.instance_hours)

    @property
    def meets(self) -> bool:
        """Whether it keeps to the objective."""
        return self.score.late_share <= MAY_BE_LATE


class Recommendation(NamedTuple):
    """What came of a search; the scores are those of seeds that it was not tuned on."""

    winner: Candidate
    runners_up: tuple[Candidate, ...]  # the best of each other rule
    tried: int  # plans
    tuned: Score  # of the winner, on the seeds that it was chosen by
    without_minimum: (
        Candidate | None
    )  # the winner's rule with no more than the minimum asked for, where that fails


Evaluate = Callable[[Sequence[tuple[Plan, int]]], Sequence[Score]]  # plans with their seeds -> scores


class Search:
    """Tries plans and remembers what came of them."""

    def __init__(
        self,
        rules: Mapping[str, AnyPolicy],
        facts: Facts,
        *,
        minimum: int,
        maximum: int,
        evaluate: Evaluate,
        on_try: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._rules = rules
        self._facts = facts
        self._minimum = minimum
        self._maximum = maximum
        self._evaluate = evaluate
        self._on_try = on_try
        self._known: dict[Plan, Score] = {}

    def run(self) -> Recommendation:
        """Search, choose, and measure the chosen ones anew."""
        best = {name: self._least_minimum(name, rule) for name, rule in self._rules.items()}
        for name in sorted(best, key=lambda name: best[name].rank)[:FINALISTS]:
            best[name] = self._refined(best[name])
        order = sorted(best.values(), key=lambda candidate: candidate.rank)
        winner = order[0]
        shown = order[: 1 + RUNNERS_UP]
        fresh = [
            Candidate(one.name, one.plan, score)
            for one, score in zip(
                shown, self._measured([one.plan for one in shown], REPORTED_ON), strict=True
            )
        ]
        return Recommendation(
            winner=fresh[0],
            runners_up=tuple(fresh[1:]),
            tried=len(self._known),
            tuned=winner.score,
            without_minimum=self._with_less(winner),
        )

    def _least_minimum(self, name: str, rule: AnyPolicy) -> Candidate:
        """The rule with the least minimum that meets the objective; else with whichever comes nearest."""
        tried: list[Candidate] = []
        for minimum in _minima(self._minimum, self._maximum):
            [candidate] = self._try(name, [Plan(minimum=minimum, maximum=self._maximum, policy=rule)])
            tried.append(candidate)
            if candidate.meets:
                break
        if len(tried) > 1 and tried[-1].meets:  # between the last that failed and the first that did not
            between = range(tried[-2].plan.minimum + 1, tried[-1].plan.minimum)
            tried += self._try(
                name, [Plan(minimum=minimum, maximum=self._maximum, policy=rule) for minimum in between]
            )
        return min(tried, key=lambda candidate: candidate.rank)

    def _refined(self, best: Candidate) -> Candidate:
        """Change one setting at a time, and the minimum, for as long as it helps."""
        while True:
            plan = best.plan
            plans = [
                Plan(minimum=minimum, maximum=self._maximum, policy=policy)
                for policy in (plan.policy, *variants(plan.policy, self._facts))
                for minimum in sorted(
                    {max(self._minimum, plan.minimum - 1), plan.minimum, min(self._maximum, plan.minimum + 1)}
                )
            ]
            found = min(self._try(best.name, plans), key=lambda candidate: candidate.rank)
            if found.rank >= best.rank:
                return best
            best = found

    def _with_less(self, winner: Candidate) -> Candidate | None:
        if winner.plan.minimum == self._minimum:
            return None
        plan = Plan(minimum=self._minimum, maximum=self._maximum, policy=winner.plan.policy)
        [score] = self._measured([plan], REPORTED_ON)
        return Candidate(winner.name, plan, score)

    def _try(self, name: str, plans: Sequence[Plan]) -> list[Candidate]:
        new = [plan for plan in dict.fromkeys(plans) if plan not in self._known]
        if new:
            self._on_try(f"{name}, {len(self._known) + len(new)} plans")
            self._known.update(zip(new, self._measured(new, TUNED_ON), strict=True))
        return [Candidate(name, plan, self._known[plan]) for plan in plans]

    def _measured(self, plans: Sequence[Plan], seeds: Sequence[int]) -> list[Score]:
        """The mean score of each plan."""
        scores = self._evaluate([(plan, seed) for plan in plans for seed in seeds])
        count = len(seeds)
        return [
            Score(*(sum(column) / count for column in zip(*scores[first : first + count], strict=True)))
            for first in range(0, len(scores), count)
        ]


def _minima(least: int, most: int) -> Iterator[int]:
    """Ever wider steps from the least to the most."""
    step = 1
    while least < most:
        yield least
        least += step
        step = max(1, least // 2)
    yield most
