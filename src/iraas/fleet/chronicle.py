"""What happens to the fleet -> the file that web processes read, if they are others, and the log."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Callable

import msgspec

from iraas.clock import Clock
from iraas.fleet.file import FleetFile
from iraas.fleet.port import EVENTS_KEPT, FleetEvent, FleetReport, FleetState
from iraas.telemetry import Log

BOOTS_KEPT = 5  # starts whose mean is what a start takes
WRITE_SECONDS = 0.5  # between two writings of what changes all the time
TROUBLE_SECONDS = 10.0  # between two events of one kind of trouble: twelve workers may fail as one


class Chronicle:
    """The fleet's latest events and measurements, kept and told."""

    def __init__(
        self,
        file: FleetFile | None,
        *,
        clock: Clock,
        minimum: int,
        maximum: int,
        policy: str,
        service_seconds: Callable[[], float] = lambda: math.nan,
        trouble_seconds: float = TROUBLE_SECONDS,
    ) -> None:
        self._file = file
        self._clock = clock
        self._trouble_seconds = trouble_seconds
        self._known = FleetReport(minimum=minimum, maximum=maximum, policy=policy)
        self._service_seconds = service_seconds
        self._boots: deque[float] = deque(maxlen=BOOTS_KEPT)
        self._events: deque[FleetEvent] = deque(maxlen=EVENTS_KEPT)
        self._troubled_at: dict[str, float] = {}  # boot time, of the latest event of a kind
        self._unsaid: dict[str, int] = {}  # troubles of a kind since then
        self._written: tuple[FleetState, FleetReport] | None = None
        self._written_at = -math.inf  # boot time
        self._failing = False  # the last write, of which was told

    @property
    def boot_seconds(self) -> float:
        """What a worker takes from its start until it is ready; NaN: not known yet."""
        return statistics.fmean(self._boots) if self._boots else math.nan

    def report(self) -> FleetReport:
        """As the file has it."""
        return msgspec.structs.replace(
            self._known,
            service_seconds=_rounded(self._service_seconds()),
            boot_seconds=_rounded(self.boot_seconds),
            events=tuple(self._events),
        )

    def bounded(self, minimum: int, maximum: int) -> None:
        """There may be so many workers from now on."""
        self._known = msgspec.structs.replace(self._known, minimum=minimum, maximum=maximum)

    def decided(self, before: int, capacity: int, reason: str) -> None:
        """There shall be another number of workers."""
        Log()("scaling.decided", before=before, capacity=capacity, reason=reason)
        self._events.appendleft(FleetEvent(self._clock.time(), before, capacity, reason))

    def trouble(self, kind: str, reason: str, *, capacity: int) -> None:
        """Something keeps the fleet from being as it should; one event for many of a kind in a short time."""
        now = self._clock.boot()
        if now - self._troubled_at.get(kind, -math.inf) < self._trouble_seconds:
            self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
            return
        self._troubled_at[kind] = now
        more = self._unsaid.pop(kind, 0)
        said = f"{reason} (and {more} more since the last word of it)" if more else reason
        Log()("scaling.trouble", level="error", capacity=capacity, reason=said)
        self._events.appendleft(FleetEvent(self._clock.time(), capacity, capacity, said, trouble=True))
        if self._written is not None:  # nobody may come to write while the trouble lasts
            self.write(self._written[0], at_once=True)

    def booted(self, seconds: float) -> None:
        """A worker took so long from its start until it was ready."""
        self._boots.append(seconds)

    def write(self, state: FleetState, *, at_once: bool) -> None:
        """Bring the file up to date; unless it must be `at_once`, now and then is enough."""
        if self._file is None:
            return
        now = self._clock.boot()
        if not at_once and 0 <= now - self._written_at < WRITE_SECONDS:
            return
        fresh = state, self.report()
        if fresh == self._written:
            return
        self._written_at = now
        try:
            self._file.write(*fresh)
            self._written, self._failing = fresh, False
        except OSError as error:  # a full disk must not end the fleet; readers keep what they know
            if not self._failing:
                Log()("background.failed", level="error", task="fleet state", error=str(error))
            self._failing = True


def _rounded(seconds: float) -> float | None:
    """To three digits, so that noise is no news; NaN is nothing."""
    return None if math.isnan(seconds) else float(f"{seconds:.3g}")
