"""Run -> two pictures as SVG: how latency is distributed, and how latency, queue and workers moved together."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING

import numpy as np

from iraas.errors import ConfigurationError
from iraas.load.observed import ObservedFleet
from iraas.load.run import Run
from iraas.load.tally import Numbers, Outcome, Tally

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BINS = 400  # on the time axis: more cannot be told apart
_BLUE, _ORANGE, _GREEN, _GREY = "#4c78a8", "#f58518", "#54a24b", "#9a9a9a"


def need_plots() -> None:
    """Raise `ConfigurationError` if pictures cannot be drawn."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigurationError("--report draws with matplotlib; `pip install 'iraas[plots]'` brings it")


def distribution(tally: Tally) -> str:
    """The latency of all answers: how many took so long, and what share took at most so long."""
    figure = _figure(height=3.4)
    counts, shares = figure.subplots(1, 2)
    milliseconds = np.sort(1000 * tally.seconds[tally.answered])
    if len(milliseconds):
        lowest, highest = max(0.1, float(milliseconds[0])), max(0.2, float(milliseconds[-1]))
        edges = np.geomspace(lowest * 0.95, highest * 1.05, 50)
        counts.hist(milliseconds, bins=edges, color=_BLUE)
        at = np.linspace(0, len(milliseconds) - 1, min(len(milliseconds), 1_000)).astype(int)
        shares.step(milliseconds[at], (at + 1) / len(milliseconds), where="post", color=_BLUE)
        for percent, height in ((50, 0.02), (95, 0.17), (99, 0.32)):  # they often lie side by side
            value = float(np.percentile(milliseconds, percent))
            shares.axvline(value, color=_GREY, linewidth=0.8)
            shares.annotate(f"p{percent}\n{value:.3g} ms", (value, height), fontsize=8)
        for axes in (counts, shares):
            _in_plain_numbers(axes)
    counts.set(xlabel="latency, ms", ylabel="answers")
    shares.set(xlabel="latency, ms", ylabel="share of answers", ylim=(0, 1.02))
    return _svg(figure)


def over_time(run: Run) -> str:
    """Requests, latency, and where the service told of them, its queue and its workers, on one axis."""
    fleet = run.fleet if run.fleet.samples else None
    figure = _figure(height=7.6 if fleet else 4.4)
    rows = figure.subplots(4 if fleet else 2, 1, sharex=True)
    due, seconds = run.tally.due, max(run.seconds, 0.001)
    edges = np.linspace(0.0, seconds, 1 + int(np.clip(seconds, 10, MOST_BINS)))
    _requests(rows[0], run.tally, due, edges)
    _latency(rows[1], run.tally, due, edges)
    if fleet:
        _queue(rows[2], fleet)
        _workers(rows[3], fleet)
    for axes in rows:
        axes.set_ylim(bottom=0)
    rows[0].set_xlim(0, seconds)
    rows[-1].set_xlabel("seconds since the load began; latency stands where its request was due")
    return _svg(figure)


def _in_plain_numbers(axes: Axes) -> None:
    """A logarithmic axis whose ticks say 20 and not 2 x 10^1."""
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7), numticks=12))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")


def _requests(axes: Axes, tally: Tally, due: Numbers, edges: Numbers) -> None:
    width = edges[1] - edges[0]
    middles = (edges[1:] + edges[:-1]) / 2
    axes.plot(middles, np.histogram(due, edges)[0] / width, color=_GREY, label="due")
    ended = (due + tally.seconds)[tally.answered]
    axes.plot(middles, np.histogram(ended, edges)[0] / width, color=_BLUE, label="answered")
    bad = tally.outcomes != Outcome.RIGHT
    if bad.any():
        failed = np.histogram(due[bad], edges)[0] / width
        axes.plot(middles, failed, color=_ORANGE, label="wrong, refused or missing")
    _finish(axes, "requests/s")


def _latency(axes: Axes, tally: Tally, due: Numbers, edges: Numbers) -> None:
    kept = tally.answered
    milliseconds = 1000 * tally.seconds[kept]
    places = np.clip(np.digitize(due[kept], edges) - 1, 0, len(edges) - 2)
    order = np.argsort(places, kind="stable")
    found, firsts = np.unique(places[order], return_index=True)
    groups = np.split(milliseconds[order], firsts[1:]) if len(found) else []
    middles = ((edges[1:] + edges[:-1]) / 2)[found]
    for percent, colour in ((50, _BLUE), (95, _ORANGE), (100, _GREY)):
        values = [float(np.percentile(group, percent)) for group in groups]
        axes.plot(middles, values, color=colour, label="max" if percent == 100 else f"p{percent}")
    _finish(axes, "latency, ms")


def _queue(axes: Axes, fleet: ObservedFleet) -> None:
    at = [sample.at for sample in fleet.samples]
    axes.plot(at, [sample.waiting for sample in fleet.samples], color=_ORANGE, label="waiting")
    axes.plot(at, [sample.in_flight for sample in fleet.samples], color=_BLUE, label="in flight")
    _finish(axes, "jobs")


def _workers(axes: Axes, fleet: ObservedFleet) -> None:
    at = [sample.at for sample in fleet.samples]
    serving = [sample.in_service for sample in fleet.samples]
    wanted = [sample.in_service + sample.starting for sample in fleet.samples]
    axes.step(at, wanted, where="post", color=_GREY, label="with those that start")
    axes.step(at, serving, where="post", color=_GREEN, label="in service")
    for decided in fleet.decisions:
        axes.axvline(decided.at, color=_GREY, linewidth=0.5, linestyle=":")
    _finish(axes, "workers")


def _finish(axes: Axes, what: str) -> None:
    axes.set_ylabel(what)
    axes.grid(visible=True, color="#e0e0e0", linewidth=0.6)
    axes.legend(fontsize=8, loc="upper right", frameon=False)


def _figure(*, height: float) -> Figure:
    from matplotlib.figure import Figure  # half a second; and an extra

    return Figure(figsize=(10.0, height), layout="constrained")


def _svg(figure: Figure) -> str:
    """The drawing as an element: without the prolog of a file, which HTML does not take."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]
