"""Results -> one picture: arrivals, queue, workers and waits over time, a column for each policy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iraas.errors import ConfigurationError
from iraas.scaling.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BINS = 240  # on the time axis
MOST_COLUMNS = 12
ARRIVALS, WAITING, WORKERS, STARTING, LATE = "#4c78a8", "#f58518", "#54a24b", "#b7d7b0", "#e45756"
MINUTE = 60.0


def draw(path: Path, results: Mapping[str, Result], *, title: str, objective: float) -> None:
    """Write the picture. Raises `ConfigurationError`."""
    from matplotlib.figure import Figure  # half a second; and an extra

    shown = dict(list(results.items())[:MOST_COLUMNS])
    width = max(6.0, 2.2 * len(shown) + 0.8)
    figure = Figure(figsize=(width, 7.2), layout="constrained")
    rows = figure.subplots(4, len(shown), sharex=True, sharey="row", squeeze=False)
    for column, (name, result) in zip(rows.T, shown.items(), strict=True):
        _column(column, name, result, objective)
    for axes, what in zip(rows[:, 0], ("pictures/s", "waiting", "workers", "wait, s"), strict=True):
        axes.set_ylabel(what)
    for axes in rows[-1]:
        axes.set_xlabel("minutes")
        axes.set_yscale("symlog", linthresh=1.0)  # a blink and ten minutes on one axis
    for axes in rows[:, 0]:  # after all have drawn: the columns share their axes
        axes.set_ylim(bottom=0)
    figure.suptitle(f"{title}: {_in_words(next(iter(shown.values())))}", fontsize=11)
    try:
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise ConfigurationError(f"--picture {path} cannot be written: {error.strerror}") from error


def _column(
    column: np.ndarray[tuple[int], np.dtype[np.object_]], name: str, result: Result, objective: float
) -> None:
    arrivals, waiting, workers, waits = column
    timeline = result.timeline
    minutes = timeline.time / MINUTE
    seconds = np.diff(timeline.time, prepend=0.0)
    arrivals.set_title(
        f"{name}\n{result.late_share:.1%} late, {result.instance_hours:.1f} h", fontsize=9, loc="left"
    )
    arrivals.plot(minutes, timeline.arrivals / np.maximum(seconds, 1e-9), color=ARRIVALS, linewidth=0.8)
    waiting.fill_between(minutes, timeline.visible, color=WAITING, step="post", linewidth=0)
    workers.fill_between(minutes, timeline.capacity, color=STARTING, step="post", linewidth=0)
    workers.fill_between(minutes, timeline.in_service, color=WORKERS, step="post", linewidth=0)
    workers.plot(minutes, timeline.in_flight, color="black", linewidth=0.5)
    _waits(waits, result, objective)
    for axes in column:
        axes.grid(visible=True, color="#e6e6e6", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)


def _waits(axes: Axes, result: Result, objective: float) -> None:
    """The p95 of the pictures that came in each moment, and the objective as a line."""
    outcome = result.outcome
    axes.axhline(objective, color=LATE, linewidth=0.8, linestyle="--")
    if not len(outcome.born):
        return
    edges = np.linspace(0.0, max(float(outcome.born[-1]), 1.0), MOST_BINS + 1)
    places = np.clip(np.digitize(outcome.born, edges) - 1, 0, MOST_BINS - 1)
    order = np.lexsort((outcome.wait, places))
    found, firsts, counts = np.unique(places[order], return_index=True, return_counts=True)
    p95 = outcome.wait[order][firsts + np.minimum(counts - 1, (0.95 * counts).astype(int))]
    axes.plot((edges[:-1] + edges[1:])[found] / 2 / MINUTE, p95, color=ARRIVALS, linewidth=0.9)


def _in_words(result: Result) -> str:
    return f"{result.arrivals:,.0f} pictures; workers in service (green), starting (pale), busy (line)"
