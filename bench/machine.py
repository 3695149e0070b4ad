"""/proc -> what this CPU can do, and what else was using it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.processes import cpu_seconds, family
from iraas.settings import usable_cores

ABILITIES = {  # a flag of /proc/cpuinfo -> how it is called
    "amx_tile": "AMX",
    "amx_bf16": "AMX-BF16",
    "avx512_bf16": "AVX512-BF16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}
WATCH_SECONDS = 1.0


class Machine(NamedTuple):
    """What the figures were measured on."""

    cpu: str
    cores: int
    abilities: tuple[str, ...]
    bfloat16: bool  # whether OpenVINO is hinted to infer in bf16, else in fp32
    loads: tuple[float, float, float]  # of the last 1, 5 and 15 minutes
    busiest: tuple[str, ...]  # other processes, with what they take of a core

    def lines(self) -> Iterable[str]:
        """In words."""
        yield f"{self.cpu}, {self.cores} cores: {', '.join(self.abilities) or 'no vector unit that matters'}"
        yield f"OpenVINO infers in {'bf16' if self.bfloat16 else 'fp32: this CPU has no bf16'}"
        yield "load before: " + " ".join(f"{load:.2f}" for load in self.loads)
        yield f"busiest others: {', '.join(self.busiest) or 'none'}"


def look() -> Machine:
    """Look for a second at what is going on."""
    facts = dict(
        [part.strip() for part in line.split(":", 1)]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if ":" in line
    )
    flags = facts.get("flags", "").split()
    return Machine(
        cpu=facts.get("model name", platform.processor()),
        cores=usable_cores(),
        abilities=tuple(name for flag, name in ABILITIES.items() if flag in flags),
        bfloat16=_has_bfloat16(),
        loads=os.getloadavg(),
        busiest=_busiest(3),
    )


class Bystanders:
    """What everybody else on the machine takes while the bench runs."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._everybody, self._ours = _busy_seconds(), _our_seconds()

    def cores(self) -> float:
        """Cores that others kept busy on average since the beginning."""
        others = (_busy_seconds() - self._everybody) - (_our_seconds() - self._ours)
        return max(0.0, others) / (time.monotonic() - self._begun)


def _has_bfloat16() -> bool:
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _busiest(count: int) -> tuple[str, ...]:
    others = [process for process in psutil.process_iter() if process.pid != os.getpid()]
    before = {process: _own_seconds(process) for process in others}
    time.sleep(WATCH_SECONDS)
    shares = {process: (_own_seconds(process) - before[process]) / WATCH_SECONDS for process in others}
    busiest = sorted((process for process in others if shares[process] > 0.01), key=lambda one: -shares[one])
    return tuple(f"{_name(process)} {shares[process]:.0%}" for process in busiest[:count])


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "gone"


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


def _our_seconds() -> float:
    return cpu_seconds(family(psutil.Process()))
