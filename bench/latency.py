"""One picture at a time: what a client waits beyond what decoding and inference take."""

from __future__ import annotations

from bench.session import Session
from bench.side_by_side import contenders, interleaved, prefix
from bench.spread import Spread

NAMES = ("latency_overhead_ms_p50",)


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 1 + 5 + 5 * _rounds(quick)


def measure(session: Session) -> None:
    """Put the overhead's p50 and the p50 of each contender."""
    with contenders(session) as running:
        seconds = 1.0 if session.quick else 2.0
        measured = interleaved(
            session, running, rounds=_rounds(session.quick), seconds=seconds, concurrency=1
        )
    pairs = zip(measured["iraas"], measured["bare"], strict=True)
    session.put("latency_overhead_ms_p50", Spread.of(served.p50_ms - bare.p50_ms for served, bare in pairs))
    for name, rounds in measured.items():
        session.put(f"{prefix(name)}latency_ms_p50", Spread.of(one.p50_ms for one in rounds))


def _rounds(quick: bool) -> int:
    return 2 if quick else 5
