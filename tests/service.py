"""The real processes for end-to-end tests: start, find, kill, stop, and check that they are gone."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from iraas.settings import Settings

START_SECONDS = 60.0  # generous: other load must not fail a test
STOP_SECONDS = 30.0
REAL = (sys.executable, "-m", "iraas")
WITH_REPLACEMENTS = (sys.executable, "-m", "iraas.testing.run")


class Service:
    """One `iraas up` on a free port, with a data folder of its own."""

    def __init__(
        self,
        data: Path,
        *,
        workers: int = 2,
        minimum: int | None = None,
        maximum: int | None = None,
        model: str = "fast",
        settings: Mapping[str, str] | None = None,
        command: tuple[str, ...] = REAL,
        port: int = 0,
    ) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self._command = [*command, "up"]
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("IRAAS_")},
            "IRAAS_DATA": str(data),
            "IRAAS_PORT": str(port),
            "IRAAS_WORKERS": str(workers),
            "IRAAS_MODEL": model,
            **({} if minimum is None else {"IRAAS_MIN_WORKERS": str(minimum)}),
            **({} if maximum is None else {"IRAAS_MAX_WORKERS": str(maximum)}),
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def settings(self) -> Settings:
        """As somebody beside it would open its backend."""
        return Settings(data=self.data)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def supervisor(self) -> psutil.Process:
        """The supervising process."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self) -> Self:
        """Start it and wait until it says that it serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=log
            )
        self.url = self._first_line().rsplit(" ", 1)[-1]
        return self

    def processes(self, word: str) -> list[psutil.Process]:
        """The supervisor's descendants whose command line has `word` as an argument of its own."""
        found = []
        for process in self.supervisor.children(recursive=True):
            try:
                if word in process.cmdline():
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return found

    def stop(self) -> None:
        """SIGTERM; then nothing of it may be left."""
        if self._process is None or self._process.poll() is not None:
            self._close()
            return
        family = [self.supervisor, *self.supervisor.children(recursive=True)]
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)
        _gone, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        self._close()
        assert not alive, f"left behind: {alive}"

    def kill(self) -> None:
        """Kill -9 of the supervisor; its children must end by themselves."""
        assert self._process is not None
        family = [self.supervisor, *self.supervisor.children(recursive=True)]
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        _gone, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
        self._close()
        assert not alive, f"outlived its supervisor: {alive}"

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if selector.select(timeout=0.5):
                    line = self._process.stdout.readline().decode().strip()
                    if line:
                        return line
                    break
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._close()
        raise AssertionError(f"the service did not start; its log:\n{self.log.read_text()[-4000:]}")
