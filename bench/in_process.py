"""An ASGI application -> uvicorn with two worker processes that classify in the process that took the picture."""

from __future__ import annotations

import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import httpx2
import psutil

from bench.folders import ROOT
from bench.processes import cpu_seconds, family, free_port
from iraas.fleet.local import clean_environment

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class InProcessServer:
    """`uvicorn APPLICATION --workers 2`, with uvloop and httptools as iraas has them."""

    def __init__(self, application: str, *, workers: int = 2) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = f"{application} --workers {workers} --port {port} --loop uvloop --http httptools"
        quiet = ["--no-access-log", "--log-level", "warning"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *command.split(), *quiet], cwd=ROOT, env=_environment()
        )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                httpx2.get(f"{self.url}/openapi.json")
            except httpx2.TransportError:
                time.sleep(0.05)
            else:
                return self
        self.__exit__(None, None, None)
        raise RuntimeError("an in-process server did not start; what it said stands above")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            processes = family(psutil.Process(self._process.pid))
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            psutil.wait_procs(processes, timeout=STOP_SECONDS)

    def parts(self) -> dict[str, float]:
        """CPU seconds of all its processes."""
        return {"server": cpu_seconds(family(psutil.Process(self._process.pid)))}


def _environment() -> dict[str, str]:
    """With what FastAPI needs for forms; it lies apart, since it would hide the `multipart` that iraas uses."""
    return {**clean_environment(), "PYTHONPATH": str(ROOT / ".venv" / "contenders")}
