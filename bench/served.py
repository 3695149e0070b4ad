"""A server and pictures -> Round: load from a process of its own, CPU from /proc before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
from tests.service import Service

from bench.contender import Round
from bench.load import load
from bench.processes import cpu_seconds, family

Parts = Callable[[], dict[str, float]]  # the CPU seconds of a server so far, by what took them


class Served:
    """A contender behind HTTP."""

    def __init__(self, name: str, url: str, pictures: Path, parts: Parts) -> None:
        self.name = name
        self._url = url
        self._pictures = pictures
        self._parts = parts

    def run(self, *, seconds: float, concurrency: int) -> Round:
        """Load it for `seconds`; everything that was asked counts, the last answers too."""
        before = self._parts()
        report = load(self._url, self._pictures, seconds=seconds, connections=concurrency)
        after = self._parts()
        if report.failures:
            statuses = sorted({asked.status for asked in report.answers})
            raise RuntimeError(f"{self.name}: {report.failures} pictures got no label; statuses {statuses}")
        return Round(
            images=len(report.answers),
            seconds=report.seconds,
            parts={part: after[part] - before[part] for part in after},
            latencies_ms=[1000 * asked.seconds for asked in report.answers],
            generator_cpu_seconds=report.cpu_seconds,
        )


def iraas(service: Service, pictures: Path) -> Served:
    """The service itself."""
    return Served("iraas", f"{service.url}/v1/images", pictures, lambda: parts_of(service))


def parts_of(service: Service) -> dict[str, float]:
    """CPU seconds of web process, workers (with their quarantine children) and supervisor."""
    supervisor = service.supervisor
    everything = cpu_seconds(family(supervisor))
    web = _of_children(supervisor, "web")
    workers = _of_children(supervisor, "worker")
    return {"web": web, "workers": workers, "supervisor": everything - web - workers}


def _of_children(supervisor: psutil.Process, word: str) -> float:
    return sum(cpu_seconds(family(child)) for child in supervisor.children() if word in child.cmdline())
