"""A command ── started, started again when it dies, stopped in order ──> one service of an instance that is not booted.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from tests.rig.machines import linux

FIRST_WAIT_SECONDS = 0.25  # before it is started again; doubled each time
LONGEST_WAIT_SECONDS = 8.0
PROVEN_SECONDS = 60.0  # who lived so long begins with the first wait again
STOP_SECONDS = 30.0  # TimeoutStopSec of our units


class Service:
    """As `Restart=always` and `KillMode=mixed` in our units."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
        self._command, self._environment, self._folder = list(command), dict(environment), folder
        self._wait = FIRST_WAIT_SECONDS
        self._started_at = 0.0  # monotonic seconds, as all times here
        self._start_at = 0.0
        self._kill_at = float("inf")
        self._wanted = True
        self.pid = 0  # 0: it does not run

    def tick(self) -> None:
        """Do what is due: start it, or end it if it did not stop in time."""
        now = time.monotonic()
        if self._wanted and not self.pid and now >= self._start_at:
            self._started_at = now
            self.pid = os.fork()
            if not self.pid:
                self._become()
        if self.pid and now >= self._kill_at:
            self._kill_rest()

    def ended(self) -> None:
        """Its process has died and was reaped."""
        self._kill_rest()
        self.pid = 0
        now = time.monotonic()
        if now - self._started_at >= PROVEN_SECONDS:
            self._wait = FIRST_WAIT_SECONDS
        self._start_at = now + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT_SECONDS)

    def stop(self) -> None:
        """Have it drain and end; never start it again."""
        if self._wanted and self.pid:
            os.kill(self.pid, signal.SIGTERM)
            self._kill_at = time.monotonic() + STOP_SECONDS
        self._wanted = False

    def _kill_rest(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _become(self) -> NoReturn:
        try:
            linux.die_with_parent()
            os.setsid()
            signal.pthread_sigmask(signal.SIG_SETMASK, [])  # its parent waits for them instead of taking them
            os.chdir(self._folder)
            os.execve(self._command[0], self._command, self._environment)
        except OSError as error:
            os.write(2, f"{self._command}: {error}\n".encode())
        finally:
            os._exit(127)
