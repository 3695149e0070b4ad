"""Traffic and measurements -> a search over policies -> policy.toml, and words about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from iraas.cli.durations import in_words
from iraas.errors import ConfigurationError
from iraas.fleet.port import FleetReport
from iraas.scaling.bound import STEP, enough, unavoidable_late
from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.plan import Plan, write_plan
from iraas.scaling.recommend import MAY_BE_LATE, Evaluate, Recommendation, Score, Search
from iraas.scaling.scenario import Scenario
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import Workload
from iraas.settings import usable_cores

GUESSED_SERVICE = 0.02  # seconds; where nothing was measured
GUESSED_BOOT = 60.0

_base: Scenario | None = None  # in a process of the pool: sent once, since a trace may be large


class Measured(NamedTuple):
    """What the search is told of the service, and where it is from."""

    service: float
    boot: float
    source: str


def calibrated(service: float | None, boot: float | None, report: FleetReport, source: str) -> Measured:
    """What was given; else what the service measured; else a guess, and it says so."""
    found_service = service or report.service_seconds or GUESSED_SERVICE
    found_boot = boot or report.boot_seconds or GUESSED_BOOT
    words = [
        f"{name} {in_words(value)} ({_origin(given, measured, source)})"
        for name, value, given, measured in (
            ("service time", found_service, service, report.service_seconds),
            ("boot time", found_boot, boot, report.boot_seconds),
        )
    ]
    return Measured(found_service, found_boot, ", ".join(words))


def search(
    workload: Workload, base: Scenario, facts: Facts, *, minimum: int, maximum: int, deployable: bool
) -> Recommendation:
    """Try everything, with all cores and a bar."""
    from iraas.cli.progress import progress

    rules = {name: rule for name, rule in contenders(facts).items() if rule.deployable or not deployable}
    with _pool(replace(base, workload=workload)) as evaluate, progress("searching", total=None) as moved_to:
        done = 0

        def say(what: str) -> None:
            nonlocal done
            done += 1
            moved_to(done, what)

        return Search(rules, facts, minimum=minimum, maximum=maximum, evaluate=evaluate, on_try=say).run()


def why(found: Recommendation, workload: Workload, facts: Facts, *, minimum: int, maximum: int) -> list[str]:
    """What to know beside the table: what the minimum is for, what boots cost, and what cannot be met."""
    counts = workload.counts(np.random.default_rng(found.tried), step=STEP)
    share = unavoidable_late(counts, facts, minimum=minimum, maximum=maximum)
    objective, boot = in_words(facts.objective), in_words(facts.boot)
    winner, lines = found.winner, []
    if winner.meets:
        lines.append(
            f"{winner.name} with at least {winner.plan.minimum} keeps {1 - winner.score.late_share:.1%} "
            f"of the pictures within {objective}, for the fewest hours of {found.tried} plans that were tried."
        )
    else:
        lines.append(
            f"Nothing keeps 95 % of the pictures within {objective} with at most {maximum} workers: "
            f"{winner.name} comes nearest, with {winner.score.late_share:.1%} late. Raise --max, or --objective."
        )
    if share > MAY_BE_LATE:
        least = enough(counts, facts, share=MAY_BE_LATE, maximum=maximum)
        mend = (
            f"a minimum of {least} could"
            if least is not None
            else f"not even {maximum} workers all the time could"
        )
        lines.append(
            f"With a boot of {boot} and a minimum of {minimum}, {share:.1%} of the pictures come before new workers "
            f"can be there, even if a rule knew the load at once: {objective} for 95 % is impossible so; {mend}."
        )
    if found.without_minimum is not None:
        less = found.without_minimum
        lines.append(
            f"With a minimum of {less.plan.minimum} the same rule is late for {less.score.late_share:.1%}, "
            f"for {less.score.instance_hours:,.2f} instead of {winner.score.instance_hours:,.2f} worker-hours."
        )
    for other in found.runners_up:
        reason = (
            f"takes {other.score.instance_hours / winner.score.instance_hours - 1:.0%} more hours"
            if other.meets
            else f"is late for {other.score.late_share:.1%}"
        )
        lines.append(f"{other.name} {reason}.")
    return lines


def write(path: Path, plan: Plan) -> None:
    """Write policy.toml. Raises `ConfigurationError`."""
    try:
        path.write_text(write_plan(plan), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--out {path} cannot be written: {error.strerror}") from error


def as_json(found: Recommendation, measured: Measured, path: Path) -> dict[str, object]:
    """The recommendation for a program."""
    return {
        "policy_file": str(path),
        "meets_objective": found.winner.meets,
        "service_s": measured.service,
        "boot_s": measured.boot,
        "tried": found.tried,
        "tuned": found.tuned._asdict(),
        "candidates": [
            {"policy": one.name, "minimum": one.plan.minimum, **one.score._asdict()}
            for one in (found.winner, *found.runners_up)
        ],
    }


def _origin(given: float | None, measured: float | None, source: str) -> str:
    if given:
        return "as given"
    return f"measured by {source}" if measured else "a guess: nothing was measured"


@contextmanager
def _pool(base: Scenario) -> Iterator[Evaluate]:
    with ProcessPoolExecutor(
        usable_cores(), mp_context=get_context("spawn"), initializer=_remember, initargs=(base,)
    ) as pool:

        def evaluate(plans: Sequence[tuple[Plan, int]]) -> list[Score]:
            return list(pool.map(_score, plans))

        yield evaluate


def _remember(base: Scenario) -> None:
    global _base
    _base = base


def _score(plan_and_seed: tuple[Plan, int]) -> Score:
    plan, seed = plan_and_seed
    assert _base is not None
    result = simulate(replace(_base, plan=plan, fixed=None, seed=seed))
    return Score(result.late_share, result.instance_hours, result.wait.p95, result.cost_per_million)
