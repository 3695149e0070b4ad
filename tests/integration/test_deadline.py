"""iraas.worker.deadline: a stuck process is ended by the kernel."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PRELUDE = """
import threading, time
from iraas.worker import deadline
from iraas.worker.deadline import ends_this_process_after
"""
STANDING_STILL = "deadline.WALL_FACTOR = 200\n"  # seconds of the machine end nobody by the other signal


@pytest.mark.parametrize(
    ("body", "died_of"),
    [
        (
            STANDING_STILL + "with ends_this_process_after(0.2):\n    while True: sum(range(10_000_000))",
            signal.SIGPROF,
        ),
        (
            "with ends_this_process_after(0.1):\n    threading.Lock().acquire(); time.sleep(60)",
            signal.SIGALRM,
        ),
        ("with ends_this_process_after(60): pass\nprint('lives')", None),
    ],
    ids=["computes for ever", "waits for ever", "is done in time"],
)
def test_a_stuck_process_is_ended(body, died_of):
    """Who computes or waits beyond the deadline is killed, and who is done in time is left alone."""
    done = subprocess.run([sys.executable, "-c", PRELUDE + body], capture_output=True, timeout=60)

    assert done.returncode == (0 if died_of is None else -died_of)
