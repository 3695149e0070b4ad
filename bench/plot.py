"""figures -> `embedded.png`: what a picture costs, and how long a client waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

from bench.spread import Spread

mpl.use("Agg")  # no display is needed
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

CONTENDERS = {  # prefix of its figures -> its name, top to bottom
    "bare_": "bare loop",
    "": "iraas",
    "same_stack_": "FastAPI,\nour decoder and model",
    "fastapi_": "FastAPI,\nPillow, ONNX Runtime",
}
PARTS = {  # figure -> (bar, colour, label), from left to right
    "bare_decode_core_ms": ("bare_", "#4c78a8", "decode + resize"),
    "bare_infer_core_ms": ("bare_", "#72b7b2", "infer"),
    "workers_core_ms": ("", "#f58518", "workers"),
    "web_core_ms": ("", "#ffbf79", "web process"),
    "same_stack_core_ms": ("same_stack_", "#b0b0b0", "all in one process"),
    "fastapi_core_ms": ("fastapi_", "#b0b0b0", None),
}


def draw(path: Path, results: Mapping[str, Spread], title: str) -> None:
    """Draw what there is of the two."""
    figure, (cost, wait) = plt.subplots(1, 2, figsize=(12.5, 4.4), sharey=True)
    _cost(cost, results)
    _wait(wait, results)
    cost.invert_yaxis()
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _cost(axes: Axes, results: Mapping[str, Spread]) -> None:
    left = dict.fromkeys(CONTENDERS, 0.0)
    for name, (bar, colour, label) in PARTS.items():
        if name in results:
            width = results[name].value
            axes.barh(CONTENDERS[bar], width, left=left[bar], color=colour, label=label)
            left[bar] += width
    for prefix, contender in CONTENDERS.items():
        if (total := results.get(f"{prefix}core_ms")) is not None:
            error = [[total.value - total.low], [total.high - total.value]]
            axes.errorbar(total.value, contender, xerr=error, color="black", capsize=3, linewidth=1)
            axes.annotate(f" {total.value:.1f}", (total.high, contender), va="bottom")
    axes.set_title("CPU of a picture, 32 at a time", fontsize=10)
    axes.set_xlabel("core-ms (bars: median of the rounds, lines: lowest to highest)")
    axes.margins(x=0.12)
    if "core_ms" in results:
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=5, frameon=False)


def _wait(axes: Axes, results: Mapping[str, Spread]) -> None:
    for prefix, contender in CONTENDERS.items():
        if (p50 := results.get(f"{prefix}latency_ms_p50")) is not None:
            error = [[p50.value - p50.low], [p50.high - p50.value]]
            axes.barh(contender, p50.value, xerr=error, color="#4c78a8", capsize=3)
            axes.annotate(f" {p50.value:.1f}", (p50.high, contender), va="bottom")
    axes.set_title("latency of a picture, one at a time", fontsize=10)
    axes.set_xlabel("ms, p50")
    axes.margins(x=0.12)
