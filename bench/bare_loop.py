"""The bare loop in two processes at once: what any server of this stack takes at least."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.contender import Round
from bench.folders import ROOT
from iraas.fleet.local import clean_environment


class BareLoop:
    """A contender without any server. At concurrency 1 one of its processes works, else all."""

    name = "bare"

    def __init__(self, model: str, pictures: Path, *, processes: int) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.bare", model, str(pictures)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env={**clean_environment(), "PYTHONUNBUFFERED": "1"},
                text=True,
            )
            for _ in range(processes)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            assert _line(process) == "ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.communicate()  # its input ends, and so does it

    def run(self, *, seconds: float, concurrency: int) -> Round:
        """Work for `seconds`."""
        working = self._processes[:concurrency]
        for process in working:
            assert process.stdin is not None
            process.stdin.write(f"{seconds}{os.linesep}")
            process.stdin.flush()
        said: list[Any] = [json.loads(_line(process)) for process in working]
        decode, infer = (
            sum(part[name] for part in said) for name in ("decode_cpu_seconds", "infer_cpu_seconds")
        )
        return Round(
            images=sum(len(part["latencies"]) for part in said),
            seconds=max(part["seconds"] for part in said),
            parts={
                "decode": decode,
                "infer": infer,
                "loop": sum(part["cpu_seconds"] for part in said) - decode - infer,
            },
            latencies_ms=[1000 * latency for part in said for latency in part["latencies"]],
        )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()
