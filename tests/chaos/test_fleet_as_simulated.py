"""The simulator says beforehand what the real fleet does: waits, and workers over time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import msgspec
import numpy as np
import pytest
from PIL import Image
from tests.service import WITH_REPLACEMENTS, Service

from iraas.fleet.file import FleetFile
from iraas.scaling.instances import Boot
from iraas.scaling.plan import Plan, write_plan
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import of_our_worker
from iraas.scaling.simulate import simulate
from iraas.scaling.trace import read_trace
from iraas.scaling.workloads import shape
from iraas.settings import usable_cores

SECONDS = 40.0
MODEL_SECONDS = 0.25
MOST = 6
POLICY = Staffing(service=MODEL_SECONDS, boot=1.5, fast=4.0, slow=15.0, hold=20.0, settle=10.0)


@pytest.mark.timeout(180)
def test_the_fleet_does_what_the_simulator_said(tmp_path):
    """A load that triples: the p95 within a quarter of what was simulated, the workers within one most of the time.

    Other load on the machine may add what no simulator knows of, hence the quarter of a second beside the share.
    """
    due = np.concatenate(list(shape("step", rate=5, duration=SECONDS).arrivals(np.random.default_rng(1))))
    lines = [f"{at:.4f}" for at in due - due[0]]
    (tmp_path / "trace.csv").write_text("\n".join([*lines, ""]))
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (64, 64), (7, 7, 7)).save(tmp_path / "pictures" / "grey.png")
    plan = Plan(minimum=1, maximum=MOST, policy=POLICY)
    (tmp_path / "policy.toml").write_text(write_plan(plan))
    settings = {"IRAAS_TEST_MODEL": str(MODEL_SECONDS), "IRAAS_POLICY": str(tmp_path / "policy.toml")}

    with Service(
        tmp_path / "data", minimum=1, maximum=MOST, settings=settings, command=WITH_REPLACEMENTS
    ) as service:
        said, capacity = load(service, tmp_path)
        report = FleetFile(service.data / "fleet.json").report()

    assert report.service_seconds is not None
    assert report.boot_seconds is not None
    simulated = simulate(
        Scenario(
            read_trace(lines),
            of_our_worker(report.service_seconds),
            msgspec.structs.replace(plan, policy=POLICY),
            boot=Boot(boot=report.boot_seconds, at_once=max(1, usable_cores() // 2)),
            every=1.0,
        )
    )
    real = said["latency_ms"]["p95"] / 1000
    assert abs(real - simulated.latency.p95) < max(0.25 * real, 0.25)
    places = np.searchsorted(simulated.timeline.time, [at for at, _ in capacity], side="right") - 1
    apart = np.abs(simulated.timeline.capacity[np.maximum(places, 0)] - [workers for _, workers in capacity])
    assert (apart <= 1).mean() > 0.85
    assert max(workers for _, workers in capacity) > 2


def load(service: Service, folder) -> tuple[dict, list[tuple[float, int]]]:
    """What `iraas load` says of the trace, and the workers over time."""
    over, seen = threading.Event(), []
    file, begun = FleetFile(service.data / "fleet.json"), time.monotonic()

    def watch() -> None:
        while not over.wait(0.25) and time.monotonic() - begun < SECONDS:
            seen.append((time.monotonic() - begun, file.state().capacity))

    watcher = threading.Thread(target=watch)
    watcher.start()
    command = [sys.executable, "-m", "iraas", "load", service.url, str(folder / "pictures")]
    try:
        done = subprocess.run(
            [*command, "--trace", str(folder / "trace.csv"), "--json"],
            stdout=subprocess.PIPE,
            check=True,
            timeout=120,
        )
    finally:
        over.set()
        watcher.join()
    return json.loads(done.stdout), seen
