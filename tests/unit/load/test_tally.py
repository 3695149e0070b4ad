"""Figures, table and report of what came."""

from __future__ import annotations

import numpy as np
import pytest

from iraas.load.plan import Closed, Open
from iraas.load.run import Run
from iraas.load.summary import summarise
from iraas.load.table import hints, rows
from iraas.load.tally import Outcome
from iraas.load.verdict import Wrong
from iraas.scaling.workloads import shape

PLAN = Open(shape("steady", rate=100.0, duration=1.0))


def run_of(*outcomes: Outcome) -> Run:
    run = Run(seconds=2.0, cpu_seconds=0.01)
    for number, outcome in enumerate(outcomes):
        why = "<429>" if outcome > Outcome.WRONG else ""
        run.tally.add(number / 100, 0.001, 0.01 * (number + 1), outcome, why)
    return run


def test_latency_is_of_answers_alone():
    """A refusal takes no time, and must not make a service look fast."""
    run = run_of(Outcome.RIGHT, Outcome.WRONG, Outcome.REFUSED, Outcome.MISSING)
    summary = summarise(run, PLAN, url="http://x/", first_wrong=[])
    assert (summary.asked, summary.right, summary.wrong, summary.refused, summary.missing) == (4, 1, 1, 1, 1)
    assert summary.latency_ms.mean == pytest.approx(15.0)
    assert summary.latency_ms.max == pytest.approx(20.0)
    assert summary.lateness_ms.p99 == pytest.approx(1.0)
    assert summary.answers_per_second == 1.0
    assert summary.core_ms == pytest.approx(2.5)
    assert summary.why == {"<429>": 2}


def test_percentiles_are_of_all_answers():
    """Of a hundred evenly spread latencies p95 is the 95th."""
    summary = summarise(run_of(*[Outcome.RIGHT] * 101), PLAN, url="", first_wrong=[])
    latency = summary.latency_ms
    assert np.allclose([latency.p50, latency.p90, latency.p95, latency.p99], [510, 910, 960, 1000], rtol=1e-4)


@pytest.mark.parametrize("outcome", [Outcome.WRONG, Outcome.REFUSED, Outcome.MISSING])
def test_one_bad_outcome_spoils_the_load(outcome):
    """Good is only what is right throughout, to its end."""
    good = run_of(Outcome.RIGHT, Outcome.RIGHT)
    assert summarise(good, PLAN, url="", first_wrong=[]).is_good
    assert not summarise(run_of(Outcome.RIGHT, outcome), PLAN, url="", first_wrong=[]).is_good
    good.stopped = True
    assert not summarise(good, PLAN, url="", first_wrong=[]).is_good


def test_clients_that_wait_are_never_late():
    """In a closed loop nothing is due: there is no lateness to show."""
    summary = summarise(run_of(Outcome.RIGHT), Closed(1, 1), url="", first_wrong=[])
    assert summary.lateness_ms is None
    assert not any("too late" in name for name, _ in rows(summary))


def test_hints_say_what_to_do():
    """Wrong labels, a key that is missing, a label that was not found, a generator that was late."""
    run = run_of(Outcome.RIGHT)
    run.tally.why["401"] += 1
    run.tally.add(0.0, 5.0, 6.0, Outcome.RIGHT)
    run.unlabelled = b"cat\xff"
    summary = summarise(run, PLAN, url="", first_wrong=[Wrong("a.png", "cat", "dog")])
    words = "\n".join(hints(summary, run.unlabelled))
    assert all(
        part in words for part in ("a.png: 'dog', expected 'cat'", "--match", "IRAAS_API_KEY", "--max-open")
    )
