"""The simulator against theory and the clock, and our scaling policy against others."""

from __future__ import annotations

import time
from itertools import product

from bench import policy_grid, queue_theory
from bench.policy_grid import Mark
from bench.queue_theory import Case
from bench.session import Session
from bench.spread import Spread
from iraas.scaling.compare import compare, workloads
from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.plan import default_plan
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import shape

NAMES = (
    "theory_worst_error",
    "day_at_10000_s",
    "compare_s",
    "hours_vs_aws_recipe",
    "late_share_vs_aws_recipe",
    "hours_vs_best_fast",
    "late_points_vs_best_fast",
)
FAST = ("in-flight", "gandhi")  # rules that look every few seconds, as ours does
DAY_SECONDS = 86_400.0


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return len(_theory_cases(quick)) + _days(quick) + 2 + 2 * len(policy_grid.WORKLOADS)


def measure(session: Session) -> None:
    """Put the figures of `NAMES`."""
    _put_theory(session)
    session.put("day_at_10000_s", Spread.of(_day(session) for _ in range(_days(session.quick))))
    session.step("all policies on all workloads")
    session.put("compare_s", _compare(600.0 if session.quick else 3600.0))
    _put_policies(session)
    _put_apart(session)


def _theory_cases(quick: bool) -> list[Case]:
    few = product((1, 2, 5), (0.5, 0.8), ("exponential", "constant"), (1_000_000,))
    many = product((1, 8), (0.95,), ("exponential", "constant"), (30_000_000,))
    return [Case(*case) for case in (*few, *(() if quick else many))]


def _put_theory(session: Session) -> None:
    """The worst of all errors, and how often theory lies outside the interval that the batch means give."""
    cases = _theory_cases(session.quick)
    found = {}
    for case in cases:
        session.step(str(case))
        found[case] = queue_theory.compare(case)
    worst = max(found, key=lambda case: found[case].error)
    session.put("theory_worst_error", found[worst].error)
    session.put("theory_outside_interval", sum(not one.inside for one in found.values()))
    outside = ", ".join(str(case) for case, one in found.items() if not one.inside) or "none"
    session.notes.append(
        f"theory: worst of {len(cases)} is {worst}, off by {found[worst].error:.2%}; "
        f"mean outside the 95 % interval of the batch means, where one in twenty is by chance: {outside}"
    )


def _day(session: Session) -> float:
    """Seconds of a core for a day and a night at 10,000 pictures a second."""
    session.step("a day at 10,000 a second")
    workload = shape("daily", rate=10_000.0, duration=DAY_SECONDS)
    scenario = Scenario(workload, Service(seconds=0.012), default_plan(1, 400))
    begun = time.process_time()
    simulate(scenario)
    return time.process_time() - begun


def _days(quick: bool) -> int:
    return 1 if quick else 3


def _compare(seconds: float) -> float:
    """Seconds for all policies on all workloads (ten on eight) at 10 pictures a second, picture by picture."""
    work = workloads(rate=10.0, duration=seconds, seed=1)
    policies = contenders(Facts(service=0.2, objective=2.0, boot=60.0))
    base = Scenario(work["steady"], Service(seconds=0.2), fixed=1, mode="exact")
    begun = time.monotonic()
    for _ in compare(policies, work, base, minimum=1, maximum=20):
        pass
    return time.monotonic() - begun


def _put_policies(session: Session) -> None:
    """Ours against AWS's recipe, and against the best of the fast ones: the one that is late the least."""
    marks = _marks(session, policy_grid.WORKLOADS)
    ours, recipe = marks["ours"], marks["aws-recipe"]
    name, best = min(((name, marks[name]) for name in FAST), key=lambda one: one[1].late)
    session.put("hours_vs_aws_recipe", ours.hours / recipe.hours)
    session.put("late_share_vs_aws_recipe", ours.late / recipe.late)
    session.put("hours_vs_best_fast", ours.hours / best.hours)
    session.put("late_points_vs_best_fast", (ours.late - best.late) * 100)
    session.notes.append(
        f"policies, on {', '.join(policy_grid.WORKLOADS)}: {_in_words(marks)}; best fast: {name}"
    )


def _put_apart(session: Session) -> None:
    """Spike and burst, with what boot time allows."""
    session.step("spike and burst")
    todo = policy_grid.cases(("spike",), quick=session.quick)
    marks = policy_grid.marks(todo)
    bound = policy_grid.spike_bound(case for case in todo if case.policy == "ours")
    session.put("spike_late_share", marks["ours"].late)
    session.put("spike_late_share_bound", bound)
    session.notes.append(f"spike: {_in_words(marks)}; {bound:.1%} come too early for any new worker")
    session.notes += [
        f"100 clients, no worker, boots of {boot:g} s: first answer after {first:.1f} s, last after {last:.1f} s"
        for boot, first, last in policy_grid.bursts()
    ]


def _marks(session: Session, names: tuple[str, ...]) -> dict[str, Mark]:
    """A step on for every half of a workload's simulations."""
    todo = policy_grid.cases(names, quick=session.quick)
    every = len(todo) // (2 * len(names))
    done = 0

    def on_done() -> None:
        nonlocal done
        if done % every == 0:
            session.step(f"{todo[done].workload}, {todo[done].service:g} s a picture")
        done += 1

    return policy_grid.marks(todo, on_done)


def _in_words(marks: dict[str, Mark]) -> str:
    return ", ".join(f"{name} {mark.late:.1%} late and {mark.hours:.0f} h" for name, mark in marks.items())
