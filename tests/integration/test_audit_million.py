"""An audit and a sweep of very many objects: constant memory, and calls only for what has no answer."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from iraas.answers.audit import MAX_FAILURE_BYTES, Auditor
from iraas.blobs.port import BlobInfo
from iraas.intake.resend import Resend
from iraas.messages import ImageFacts, InputFacts
from iraas.telemetry import Telemetry
from iraas.testing.manual_clock import ManualClock
from iraas.testing.memory import MemoryQueue

UNANSWERED_EVERY = 1_000
PEAK_BYTES = 2_000_000  # of memory; twenty thousand inputs alone would take six million

METADATA = InputFacts("ann", ImageFacts("png", 1, 1, "0" * 64), accepted_at=1.0, filename=None).metadata()


def key_of(number: int) -> str:
    return f"{number:08x}-0000-7000-8000-000000000000"


class Listed:
    """A store that makes its objects up while it is read, and counts what it is asked."""

    at_once = 16

    def __init__(self, pictures: int, *, gaps: bool) -> None:
        self._pictures = pictures
        self._gaps = gaps
        self.calls = 0

    def _info(self, number: int) -> BlobInfo | None:
        if number >= self._pictures or (self._gaps and number % UNANSWERED_EVERY == 0):
            return None
        return BlobInfo(key_of(number), MAX_FAILURE_BYTES + 1, 1.0, METADATA)

    async def list(self, prefix: str = ""):
        for number in range(0 if prefix else self._pictures):
            info = self._info(number)
            if info is not None:
                yield info

    async def head(self, key: str) -> BlobInfo | None:
        self.calls += 1
        return self._info(int(key[:8], 16))

    def rank(self, key: str) -> tuple[int, str]:
        return 0, key


class Counting(MemoryQueue):
    """A queue that forgets what it is sent, and counts it."""

    max_batch = 10
    sent = 0

    async def send(self, messages) -> None:
        self.sent += len(messages)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Fails when what is done within allocates more than `PEAK_BYTES` at any moment."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < PEAK_BYTES


async def test_a_million_objects_are_audited_in_constant_memory():
    """Neither pictures nor answers cost memory, and only what looks unanswered costs a call."""
    pictures, lost = 500_000, 500_000 // UNANSWERED_EVERY
    inputs, results = Listed(pictures, gaps=False), Listed(pictures, gaps=True)
    auditor = Auditor(
        inputs=inputs,
        results=results,
        requests=MemoryQueue(),
        dead_letters=MemoryQueue(),
        clock=ManualClock(),
    )

    with bounded_memory():
        audit = await auditor.audit(age=60.0)

    assert (audit.pictures, audit.answered, audit.late) == (pictures, pictures - lost, lost)
    assert inputs.calls == results.calls == lost


async def test_a_sweep_holds_a_few_pictures_at_a_time():
    """However many are unanswered, they are sent as they are found."""
    pictures = 20_000
    requests = Counting()
    resend = Resend(
        inputs=Listed(pictures, gaps=False),
        results=Listed(0, gaps=True),
        requests=requests,
        clock=ManualClock(),
        telemetry=Telemetry(),
    )

    with bounded_memory():
        sent = await resend.sweep()

    assert sent == requests.sent == pictures
