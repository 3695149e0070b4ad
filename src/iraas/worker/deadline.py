"""A stuck worker ends itself: past the deadline the kernel kills the process, whatever holds the GIL.

SIGALRM's default disposition needs no Python to run, so a decoder that loops inside native code while it
holds the GIL ends as well. The job comes back by its lease and is then computed in quarantine.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

DECODE_SECONDS = 5.0  # a 25-megapixel PNG takes under one
BATCH_SECONDS = 60.0  # of inference


@contextmanager
def ends_this_process_after(seconds: float) -> Iterator[None]:
    """Kill this process by SIGALRM if the block takes longer. Not to be nested: there is one timer."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
