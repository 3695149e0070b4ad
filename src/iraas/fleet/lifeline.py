"""What a child process owes its supervisor: to end with it, and to say when it is ready.

The supervisor passes two facts in the environment. They are no settings: nobody but it sets them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "IRAAS_PARENT_PID"
READY = "IRAAS_READY_FD"
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
    """Tell the supervisor that this process does its work now."""
    descriptor = os.environ.pop(READY, None)
    if descriptor is not None:
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
