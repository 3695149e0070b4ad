"""Results of simulations -> tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import msgspec
from rich.console import Console
from rich.table import Table

from iraas.cli.durations import in_words
from iraas.scaling.compare import Entry, totals
from iraas.scaling.recommend import Candidate, Recommendation
from iraas.scaling.result import Result
from iraas.scaling.scenario import Scenario

WIDTH = 132  # columns, where the output is no terminal
CHANGES_SHOWN = 12
MODES = {"exact": "picture by picture", "steps": "in steps of time"}


def as_json_text(value: object) -> str:
    """Indented, as all commands print it."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()


def of_one(scenario: Scenario, result: Result) -> str:
    """One simulation: what came, how long it took, what it cost, and what was decided."""
    objective = in_words(scenario.objective)
    facts = (
        ("simulated", f"{in_words(result.seconds)}, {MODES[result.mode]}"),
        ("who decides", scenario.title),
        ("pictures", f"{result.arrivals:,.0f}"),
        ("without an answer", f"{result.arrivals - result.answered:,.0f}"),
        ("wait for a worker", _spread(result.wait)),
        ("until the answer", _spread(result.latency)),
        (f"later than {objective}", f"{result.late_share:.2%}"),
        ("client was gone before", f"{result.gave_up_share:.2%}"),
        ("worker-hours", f"{result.instance_hours:,.2f}, at most {result.peak} at once"),
        ("changed its mind", f"{result.reversals} times"),
        ("a million pictures cost", f"{result.cost_per_million:,.2f} USD at {scenario.price:g} an hour"),
    )
    lines = [f"{what:<24} {value}" for what, value in facts]
    if result.changes:
        shown = result.changes[:CHANGES_SHOWN]
        rest = len(result.changes) - len(shown)
        lines += ["", "decisions"]
        lines += [
            f"  {in_words(change.time):>9}  {change.before} -> {change.capacity}  {change.reason}"
            for change in shown
        ]
        lines += [f"  and {rest:,} more"] if rest else []
    return "\n".join(lines)


def of_many(entries: Sequence[Entry]) -> str:
    """A table a workload, and one of all together; the least late first."""
    console = _paper()
    for workload in dict.fromkeys(entry.workload for entry in entries):
        table = _table(workload, "p50", "p95", "p99", "late", "hours", "USD/million", "peak", "reversals")
        mine = [entry for entry in entries if entry.workload == workload]
        for entry in sorted(mine, key=lambda entry: (entry.result.late_share, entry.result.instance_hours)):
            result = entry.result
            table.add_row(
                entry.policy,
                *(in_words(value) for value in (result.wait.p50, result.wait.p95, result.wait.p99)),
                f"{result.late_share:.2%}",
                f"{result.instance_hours:,.2f}",
                f"{result.cost_per_million:,.2f}",
                str(result.peak),
                str(result.reversals),
            )
        console.print(table)
    together = _table("all together", "late", "hours", "reversals")
    for row in totals(entries):
        together.add_row(
            row.policy, f"{row.late_share:.2%}", f"{row.instance_hours:,.1f}", f"{row.reversals:.1f}"
        )
    console.print(together)
    return _text(console)


def of_recommendation(found: Recommendation) -> str:
    """The winner with its runners-up, as measured on seeds that the choice has not seen."""
    console = _paper()
    table = _table("policy", "min", "late", "p95", "hours", "USD/million")
    for candidate in (found.winner, *found.runners_up):
        table.add_row(candidate.name, *_row(candidate))
    console.print(table)
    return _text(console)


def _row(candidate: Candidate) -> tuple[str, ...]:
    score = candidate.score
    return (
        str(candidate.plan.minimum),
        f"{score.late_share:.2%}",
        in_words(score.p95),
        f"{score.instance_hours:,.2f}",
        f"{score.cost_per_million:,.2f}",
    )


def _spread(spread: object) -> str:
    values = msgspec.structs.asdict(spread)  # type: ignore[arg-type]
    return ", ".join(f"{name} {in_words(value)}" for name, value in values.items())


def _table(name: str, *columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(name, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _paper() -> Console:
    return Console(file=StringIO(), width=WIDTH, highlight=False)


def _text(console: Console) -> str:
    written = console.file
    assert isinstance(written, StringIO)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())
