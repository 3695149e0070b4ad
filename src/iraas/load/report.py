"""Run, Summary -> one HTML file that needs nothing else."""

from __future__ import annotations

from html import escape

from iraas.load.plots import distribution, over_time
from iraas.load.run import Run
from iraas.load.summary import Summary
from iraas.load.table import hints, rows

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 500; white-space: pre; }
td, th { padding: .15rem 1.5rem .15rem 0; vertical-align: top; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; } time { color: #666; }
"""


def as_html(run: Run, summary: Summary, *, when: str) -> str:
    """The report. `when` is for people."""
    verdict = "Every request got its right answer." if summary.is_good else _shortcomings(summary)
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><title>iraas load</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Load on {escape(summary.url)}</h1><p><time>{escape(when)}</time></p><p>{escape(verdict)}</p>",
        "<table>",
        *(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows(summary)),
        "</table>",
        *(f"<p>{escape(hint)}</p>" for hint in hints(summary, run.unlabelled)),
        "<h2>Latency</h2>",
        "<p>From when a request was due until its answer was there; refused and missing ones have none.</p>",
        _figure(distribution(run.tally), "Histogram and cumulative distribution of the latency"),
        "<h2>Over time</h2>",
        _figure(over_time(run), "Requests, latency, queue and workers over time"),
        *_decisions(run),
        "</body></html>",
    ]
    return "\n".join(parts)


def _shortcomings(summary: Summary) -> str:
    bad = {"wrong": summary.wrong, "refused": summary.refused, "missing": summary.missing}
    words = ", ".join(f"{count:,} {what}" for what, count in bad.items() if count)
    return f"Of {summary.asked:,} requests: {words or 'all right'}{'; stopped early' if summary.stopped else ''}."


def _figure(svg: str, what: str) -> str:
    return f'<figure role="img" aria-label="{escape(what)}">{svg}</figure>'


def _decisions(run: Run) -> list[str]:
    if not run.fleet.decisions:
        return []
    return [
        "<h2>What the service decided</h2><table>",
        *(
            f"<tr><th>{decided.at:.0f} s</th><td>{decided.before} → {decided.capacity}</td>"
            f"<td>{escape(decided.reason)}</td></tr>"
            for decided in run.fleet.decisions
        ),
        "</table>",
    ]
