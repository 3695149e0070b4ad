"""The simulator against the real fleet: the same arrivals, policy, service and boot times; waits and workers compared.

Workers are real processes whose model takes a given time and no CPU, so that twelve of them run on two cores. Each
workload is posted by `iraas load` from a trace; the simulator plays the same trace with the service and boot times
that the service itself measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from tests.service import WITH_REPLACEMENTS, Service

from bench.folders import DATA, ROOT
from bench.session import Session
from bench.spread import Spread
from iraas.fleet.file import FleetFile
from iraas.scaling.controller import LOOK_SECONDS
from iraas.scaling.instances import Boot
from iraas.scaling.plan import Plan, write_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.result import Result
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import of_our_worker
from iraas.scaling.simulate import simulate
from iraas.scaling.trace import Trace, read_trace
from iraas.scaling.workloads import shape
from iraas.settings import usable_cores

NAMES = ("fleet_p95_error", "fleet_capacity_within_one")
WORKLOADS = ("step", "waves", "flash")
MODEL_SECONDS = 0.25
RATE = 6.0  # pictures a second as each shape's base: 1.5 workers' load; a flash is ten times that
SECONDS = 150.0
MOST = 12  # workers
WATCH_SECONDS = 0.25
POLICY = Staffing(objective=2.0, service=MODEL_SECONDS, boot=1.5, fast=4.0, slow=15.0, hold=20.0, settle=10.0)


class Watched(NamedTuple):
    """The fleet over time, as its own file told it."""

    time: list[float]  # seconds since the load began
    capacity: list[int]
    in_service: list[int]


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 1 if quick else len(WORKLOADS)


def measure(session: Session) -> None:
    """Put the figures of `NAMES`: the worst workload, with the best and the worst as spread."""
    errors, paths = [], []
    for name in WORKLOADS[:1] if session.quick else WORKLOADS:
        session.step(f"fleet and simulator: {name}")
        error, within = _one(session, name)
        errors.append(error)
        paths.append(within)
    session.put("fleet_p95_error", Spread(max(errors), min(errors), max(errors)))
    session.put("fleet_capacity_within_one", Spread(min(paths), min(paths), max(paths)))


def _one(session: Session, name: str) -> tuple[float, float]:
    """The error of the p95, and the part of the time in which the capacities are within one worker."""
    DATA.mkdir(parents=True, exist_ok=True)
    workload = shape(name, rate=RATE, duration=SECONDS)
    due = np.concatenate(list(workload.arrivals(np.random.default_rng(1))))
    trace = DATA / "fleet-trace.csv"
    trace.write_text("\n".join(f"{time:.4f}" for time in due - due[0]) + "\n")
    plan = Plan(minimum=1, maximum=MOST, policy=POLICY)
    policy = DATA / "fleet-policy.toml"
    policy.write_text(write_plan(plan))
    settings = {"IRAAS_TEST_MODEL": str(MODEL_SECONDS), "IRAAS_POLICY": str(policy)}
    with Service(
        DATA / "fleet", minimum=1, maximum=MOST, settings=settings, command=WITH_REPLACEMENTS
    ) as service:
        said, watched = _load(service, session.pictures.load, trace)
        report = FleetFile(service.data / "fleet.json").report()
    result = _simulated(
        read_trace(trace.read_text().splitlines()), plan, report.service_seconds, report.boot_seconds
    )
    real, played = said["latency_ms"]["p95"] / 1000, result.latency.p95
    within = _within_one(watched, result)
    session.notes.append(
        f"{name}: p95 {real:.2f} s, simulated {played:.2f} s; capacity within one worker for {within:.0%} of the time, "
        f"at most {max(watched.in_service)} workers, simulated {result.peak}; service "
        f"{(report.service_seconds or 0) * 1000:.0f} ms, boot {report.boot_seconds or 0:.2f} s as measured"
    )
    session.put(f"fleet_{name}_p95_s", real)
    session.put(f"fleet_{name}_simulated_p95_s", played)
    return abs(played - real) / real, within


def _load(service: Service, pictures: Path, trace: Path) -> tuple[dict, Watched]:
    watched = Watched([], [], [])
    over = threading.Event()
    file = FleetFile(service.data / "fleet.json")
    begun = time.monotonic()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            state = file.state()
            watched.time.append(time.monotonic() - begun)
            watched.capacity.append(state.capacity)
            watched.in_service.append(state.in_service)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        command = [
            sys.executable,
            "-m",
            "iraas",
            "load",
            service.url,
            str(pictures),
            "--trace",
            str(trace),
            "--json",
        ]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    finally:
        over.set()
        watcher.join()
    return json.loads(done.stdout), watched


def _simulated(trace: Trace, plan: Plan, service: float | None, boot: float | None) -> Result:
    policy = msgspec.structs.replace(plan.policy, service=service or MODEL_SECONDS, boot=boot or 1.5)
    return simulate(
        Scenario(
            trace,
            of_our_worker(service or MODEL_SECONDS),
            Plan(minimum=plan.minimum, maximum=plan.maximum, policy=policy),
            boot=Boot(boot=boot or 1.5, at_once=max(1, usable_cores() // 2)),
            every=max(1.0, LOOK_SECONDS),
            mode="exact",
        )
    )


def _within_one(watched: Watched, result: Result) -> float:
    """The part of the load's time in which both have as many workers as the other, give or take one."""
    times = np.array(watched.time)
    kept = times <= SECONDS
    line = result.timeline
    places = np.clip(np.searchsorted(line.time, times[kept], side="right") - 1, 0, len(line.time) - 1)
    return float(np.mean(np.abs(np.array(watched.capacity)[kept] - line.capacity[places]) <= 1))
