"""A stuck worker ends itself: past the deadline the kernel kills the process, whatever holds the GIL.

The default disposition of SIGPROF and SIGALRM needs no Python to run, so a decoder that loops inside native
code while it holds the GIL ends as well. The job comes back by its lease and is then computed in quarantine.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

DECODE_SECONDS = 5.0  # of CPU; a picture at the limits takes two
BATCH_SECONDS = 60.0  # of CPU, of inference
WALL_FACTOR = 5.0  # seconds of wall time for one of CPU: a picture is not stuck because the machine is busy


@contextmanager
def ends_this_process_after(cpu_seconds: float) -> Iterator[None]:
    """Kill this process if the block takes more CPU time, or waits for several times as long.

    Not to be nested: a process has one timer of each kind.
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, cpu_seconds * WALL_FACTOR)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
