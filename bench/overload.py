"""Four times the load that can be served: who is refused, who waits how long, and how soon it is over.

Two workers whose model takes 10 ms a picture serve at most 200 a second; 800 a second come, by the clock.
"""

from __future__ import annotations

import statistics
import time

from bench.load import Load
from bench.probe import Probe
from bench.session import Session
from bench.spread import percentile

NAMES = ("overload_429_p99_ms", "overload_accepted_p99_s", "overload_5xx", "overload_recovery_s")
MODEL_SECONDS = 0.010  # a picture
RATE = 800.0  # pictures a second
MAX_BACKLOG_SECONDS = 3
USUAL = 3.0  # times the latency before: up to here it is normal again
GIVE_UP_SECONDS = 60.0


def steps(quick: bool) -> int:  # noqa: ARG001 - every measurement has this signature
    """How often `measure` steps on."""
    return 2


def measure(session: Session) -> None:
    """Put the figures of `NAMES`, and what came of how many requests."""
    session.step("overload: before")
    small, seconds = session.pictures.small, 4.0 if session.quick else 12.0
    with session.timed_service(MODEL_SECONDS, IRAAS_MAX_BACKLOG_SECONDS=str(MAX_BACKLOG_SECONDS)) as service:
        url = f"{service.url}/v1/images"
        with Probe(url, small) as probe:
            before = statistics.median(probe.ask().seconds for _ in range(30))
            session.step(f"overload: {RATE:g} pictures a second")
            with Load(url, small, seconds=seconds, rate=RATE) as load:
                end = load.begun + seconds
                time.sleep(max(0.0, end - time.monotonic()))
                recovery = _recovery(probe, usual=before, end=end)
                answers = load.report().answers
    of = {status: [one.seconds for one in answers if one.status == status] for status in (200, 429)}
    session.put("overload_429_p99_ms", 1000 * percentile(of[429], 99))
    session.put("overload_accepted_p99_s", percentile(of[200], 99))
    session.put("overload_5xx", sum(one.status >= 500 for one in answers))
    session.put("overload_recovery_s", recovery)
    session.put("overload_before_ms", 1000 * before)
    session.put("overload_asked", len(answers))
    session.put("overload_answered", len(of[200]))
    session.put("overload_refused", len(of[429]))
    others = len(answers) - len(of[200]) - len(of[429])
    session.put("overload_neither", others)
    if others:
        statuses = sorted({one.status for one in answers} - {200, 429})
        session.notes.append(
            f"overload: {others} requests got neither label nor 429 (0: no answer): {statuses}"
        )


def _recovery(probe: Probe, *, usual: float, end: float) -> float:
    """Seconds from the load's `end` until a picture gets its label in about the usual time."""
    while time.monotonic() < end + GIVE_UP_SECONDS:
        seen = probe.ask()
        if seen.status == 200 and seen.seconds <= USUAL * usual:
            break
        time.sleep(0.02)
    return time.monotonic() - end
