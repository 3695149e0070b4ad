"""What a child process owes its supervisor: to end with it, to say when it is ready, and what it has done since.

child ── an empty line: ready ── PICTURES SECONDS ── … ── closed: it is dead ──> supervisor        one pipe

The supervisor passes what is needed in the environment. These are no settings: nobody but it sets them.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
from typing import Self

PARENT = "IRAAS_PARENT_PID"
READY = "IRAAS_READY_FD"
RETIRE = signal.SIGUSR1  # to a worker: receive no more, finish all that you hold, and end
REPORT_SECONDS = 0.25  # between two lines of a busy worker: each wakes the supervisor
_PR_SET_PDEATHSIG = 1  # prctl(2), Linux
_LOOK_SECONDS = 0.5  # where the kernel cannot tell


def end_with_parent() -> None:
    """Be killed when the parent dies, even by kill -9. Does nothing in a process without a supervisor."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()
    if os.getppid() != int(parent):  # it died before we asked the kernel
        os._exit(1)


def say_ready() -> None:
    """Tell the supervisor that this process does its work now. For those who report nothing after that."""
    line = Line.inherited()
    line.say_ready()
    line.close()


class Line:
    """The pipe to the supervisor. Writing never blocks and never fails: without a supervisor it says nothing."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._pictures = 0
        self._busy_seconds = 0.0
        self._said_at = float("-inf")  # monotonic seconds
        self._later: asyncio.TimerHandle | None = None
        if descriptor is not None:
            os.set_blocking(descriptor, False)

    @classmethod
    def inherited(cls) -> Self:
        """The one that the supervisor left for this process; whoever asks later gets none, children too."""
        descriptor = os.environ.pop(READY, None)
        return cls(None if descriptor is None else int(descriptor))

    def say_ready(self) -> None:
        """This process does its work now."""
        self._write(b"\n")

    def ended(self, pictures: int, busy_seconds: float) -> None:
        """Report pictures that were ended, at once or with the next line. To be called in the event loop."""
        self._pictures += pictures
        self._busy_seconds += busy_seconds
        if self._descriptor is None:
            return
        wait = self._said_at + REPORT_SECONDS - time.monotonic()
        if wait <= 0:
            self._say()
        elif self._later is None:  # a timer alone would be late: it has to wait for the end of a batch
            self._later = asyncio.get_running_loop().call_later(wait, self._say)

    def close(self) -> None:
        """Say what is still to be said, and no more."""
        self._say()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _say(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._pictures:
            return
        self._said_at = time.monotonic()
        if self._write(b"%d %.6f\n" % (self._pictures, self._busy_seconds)):
            self._pictures, self._busy_seconds = 0, 0.0

    def _write(self, line: bytes) -> bool:
        if self._descriptor is None:
            return False
        try:
            os.write(self._descriptor, line)  # whole or not at all: it is shorter than PIPE_BUF, pipe(7)
        except BlockingIOError:  # the supervisor is slow: the next line carries it
            return False
        except BrokenPipeError:  # it is gone, and this process will be, too
            return False
        return True


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
