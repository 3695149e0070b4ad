"""What `iraas load` itself takes, against a stub server that answers at once in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.integration.load_stub import stub_server

from bench.folders import ROOT
from bench.session import Session
from bench.spread import Spread

NAMES = ("generator_core_ms", "generator_lateness_p99_ms")
RATE = 300  # a second, by the clock: what one machine of two cores answers
ROUNDS = 3


def steps(quick: bool) -> int:
    """How often `measure` steps on."""
    return 2 * _rounds(quick)


def measure(session: Session) -> None:
    """Put the figures of `NAMES`: CPU with 32 clients, lateness by the clock; and CPU by the clock, which is more."""
    requests, seconds = (500, 3) if session.quick else (5_000, 15)
    clients, clock = [], []
    with stub_server() as url:
        for _ in range(_rounds(session.quick)):
            session.step("generator, 32 clients")
            clients.append(_load(session, url, "--clients", "32", "--requests", str(requests)))
            session.step(f"generator, {RATE} a second")
            clock.append(_load(session, url, "--rate", str(RATE), "--duration", f"{seconds}s"))
    session.put("generator_core_ms", Spread.of(said["core_ms"] for said in clients))
    session.put("generator_open_core_ms", Spread.of(said["core_ms"] for said in clock))
    session.put("generator_lateness_p99_ms", Spread.of(said["lateness_ms"]["p99"] for said in clock))


def _load(session: Session, url: str, *options: str) -> dict:
    command = [
        sys.executable,
        "-m",
        "iraas",
        "load",
        f"{url}/",
        str(session.pictures.load),
        *options,
        "--json",
    ]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def _rounds(quick: bool) -> int:
    return 1 if quick else ROUNDS
