"""How soon it serves, what it takes when idle, and how much memory."""

from __future__ import annotations

import statistics
import threading
import time

from tests.service import Service

from bench.folders import DATA
from bench.load import load
from bench.probe import Probe
from bench.processes import cpu_seconds, family, free_port, proportional_mb, resident_mb
from bench.session import WORKERS, Session
from bench.spread import Spread

NAMES = ("first_answer_s", "idle_cpu_pct", "rss_mb")
SETTLE_SECONDS = 2.0  # after load, before it counts as idle
IDLE_ROUNDS = 5


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return _starts(quick) + 2


def measure(session: Session) -> None:
    """Put the figures of `NAMES`, and `pss_mb`."""
    session.put("first_answer_s", Spread.of(_first_answer(session) for _ in range(_starts(session.quick))))
    with session.service() as service:
        session.step("memory, under load")
        url = f"{service.url}/v1/images"
        load(url, session.pictures.load, seconds=2.0 if session.quick else 4.0, connections=32)
        session.put("rss_mb", resident_mb(family(service.supervisor)))
        session.put("pss_mb", proportional_mb(family(service.supervisor)))
        session.step("idle")
        time.sleep(SETTLE_SECONDS)
        shares = [_idle(service, session.quick) for _ in range(IDLE_ROUNDS)]
        # The mean: what happens now and then, like a heartbeat, must count.
        session.put("idle_cpu_pct", Spread(statistics.mean(shares), min(shares), max(shares)))


def _first_answer(session: Session) -> float:
    """Seconds from the start of `iraas up` until a client that keeps trying has its label."""
    session.step("first answer")
    DATA.mkdir(parents=True, exist_ok=True)
    port = free_port()
    service = Service(DATA / "first-answer", workers=WORKERS, port=port)
    starting = threading.Thread(target=service.start)
    begun = time.monotonic()
    starting.start()
    try:
        with Probe(f"http://127.0.0.1:{port}/v1/images", session.pictures.load) as probe:
            probe.until_answered(pause=0.01, limit=60)
            return time.monotonic() - begun
    finally:
        starting.join()
        service.stop()


def _idle(service: Service, quick: bool) -> float:
    seconds = 0.6 if quick else 3.0
    before, begun = cpu_seconds(family(service.supervisor)), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(family(service.supervisor)) - before) / (time.monotonic() - begun)


def _starts(quick: bool) -> int:
    return 1 if quick else 5
