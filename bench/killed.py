"""kill -9 of a worker under load: how much longer the slowest answer takes."""

from __future__ import annotations

import time

from tests.service import Service

from bench.load import Load, Report
from bench.session import WORKERS, Session
from bench.spread import Spread
from iraas.fleet.file import FleetFile

NAMES = ("kill_adds_s",)
CONCURRENCY = 32
KILL_AFTER_SECONDS = 1.5
START_SECONDS = 30.0  # for the new worker, at most


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 2 * _rounds(quick)


def measure(session: Session) -> None:
    """Put `kill_adds_s`, and how many of the pictures got no label."""
    added, failures = [], 0
    with session.service() as service:
        for number in range(_rounds(session.quick)):
            session.step(f"kill: round {number + 1}, without")
            without = _loaded(session, service, kill=False)
            session.step(f"kill: round {number + 1}, with")
            killed = _loaded(session, service, kill=True)
            added.append(_slowest(killed) - _slowest(without))
            failures += killed.failures
    session.put("kill_adds_s", Spread.of(added))
    session.put("kill_failures", failures)
    if failures:
        session.notes.append(f"kill: {failures} pictures got no label")


def _loaded(session: Session, service: Service, *, kill: bool) -> Report:
    seconds = 3.0 if session.quick else 4.0
    workers = service.processes("worker")
    with Load(
        f"{service.url}/v1/images", session.pictures.load, seconds=seconds, connections=CONCURRENCY
    ) as load:
        time.sleep(KILL_AFTER_SECONDS)
        if kill:  # the oldest one: so each of them starts its quarantine child anew
            min(workers, key=lambda worker: worker.create_time()).kill()
        report = load.report()
    _wait_for_workers(service)
    return report


def _wait_for_workers(service: Service) -> None:
    fleet = FleetFile(service.data / "fleet.json")
    end = time.monotonic() + START_SECONDS
    while fleet.state().in_service < WORKERS and time.monotonic() < end:
        time.sleep(0.05)


def _slowest(report: Report) -> float:
    return max(asked.seconds for asked in report.answers)


def _rounds(quick: bool) -> int:
    return 1 if quick else 4
