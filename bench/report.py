"""figures -> a table for people, `embedded.json` for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from bench.figures import FIGURES
from bench.spread import Spread


def table(results: Mapping[str, Spread], title: str) -> Table:
    """Every figure that has a goal: its value, its spread, the goal, and whether it is reached."""
    drawn = Table(title=title, caption="the lowest and highest round stand as spread")
    for heading in ("figure", "what it says"):
        drawn.add_column(heading, overflow="fold")
    for heading in ("value", "spread", "goal"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    drawn.add_column("verdict")
    for figure in FIGURES:
        if (spread := results.get(figure.name)) is None:
            continue
        verdict = figure.verdict(spread.value)
        colour = "green" if verdict == "reached" else "red"
        drawn.add_row(
            figure.name,
            figure.says,
            f"{_shown(spread.value)} {figure.unit}".rstrip(),
            "" if spread.low == spread.high else f"{_shown(spread.low)} … {_shown(spread.high)}",
            figure.wanted,
            f"[{colour}]{verdict}[/{colour}]",
        )
    return drawn


def details(results: Mapping[str, Spread]) -> Table:
    """The numbers that the figures are made of."""
    drawn = Table(title="what they are made of", show_header=False)
    rows = [(name, spread) for name, spread in results.items() if name not in {one.name for one in FIGURES}]
    half = (len(rows) + 1) // 2
    for left, right in zip(rows[:half], [*rows[half:], ("", None)], strict=False):
        drawn.add_row(*_cells(*left), *_cells(*right))
    return drawn


def write(path: Path, results: Mapping[str, Spread], facts: Mapping[str, float], *, keep: bool) -> None:
    """Figures as name -> number; the spread of a figure that has one as NAME_min and NAME_max.

    `keep`: what the file has already and was not measured now stays.
    """
    flat: dict[str, float] = json.loads(path.read_text()) if keep and path.exists() else {}
    for name, spread in results.items():
        if math.isnan(spread.value):
            continue
        flat[name] = round(spread.value, 4)
        if spread.low != spread.high:
            flat[f"{name}_min"], flat[f"{name}_max"] = round(spread.low, 4), round(spread.high, 4)
    path.write_text(json.dumps({**flat, **facts}, indent=2) + "\n")


def _cells(name: str, spread: Spread | None) -> tuple[str, str]:
    return name, "" if spread is None else _shown(spread.value)


def _shown(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
