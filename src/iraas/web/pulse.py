"""every second or two: depth, fleet, pace -> a point of the history, and an event for those who listen.

nobody listens --2 s--> point        at rest the queue is asked only every `REST_SECONDS`
somebody listens --1 s--> event      every other one a point, too
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import msgspec

from iraas.clock import Clock
from iraas.errors import IraasError, OutOfRoom
from iraas.fleet.port import Fleet
from iraas.web.depth import REST_SECONDS as REST_SECONDS
from iraas.web.depth import LatestDepth
from iraas.web.fleet_view import FleetView, HistoryPoint, fleet_view, history_point
from iraas.web.pace import Pace

POINT_SECONDS = 2.0  # between two points of the history
EVENT_SECONDS = 1.0  # between two events
KEPT_POINTS = 300  # ten minutes
LIVE_SECONDS = 10.0  # that live rates and latencies are taken over
YOUNG_SECONDS = 0.5  # age at which a depth is good for a point or an event, unless the backend wants less
MAX_LISTENERS = 32
FULL_RETRY_SECONDS = 10.0  # for the listener that finds no room
RECONNECT_MS = 2_000  # that an event source waits before it connects again
KEEP_ALIVE_SECONDS = 5.0  # without an event, after which a comment says that the line is good
MAX_STREAM_SECONDS = 900.0  # a machine that fell asleep holds its place no longer; others come again
KEEP_ALIVE = b": nothing new\n\n"


class Pulse:
    """Looks at the service at a steady pace, remembers ten minutes of it, and tells those who listen."""

    def __init__(
        self, *, depth: LatestDepth, fleet: Fleet, pace: Pace, clock: Clock, sample_seconds: float
    ) -> None:
        self._depth = depth
        self._fleet = fleet
        self._pace = pace
        self._clock = clock
        self._young_seconds = max(YOUNG_SECONDS, sample_seconds)
        self._points: deque[HistoryPoint] = deque(maxlen=KEPT_POINTS)
        self._pointed_at = -math.inf  # boot time
        self._beat = asyncio.Event()  # a new one for each event
        self._event = KEEP_ALIVE
        self._closed = False
        self.listeners = 0

    async def keep(self) -> None:
        """Tick until cancelled, on whole seconds, so that ticks do not drift."""
        now = asyncio.get_running_loop().time
        while True:
            every = EVENT_SECONDS if self.listeners else POINT_SECONDS
            await asyncio.sleep(every - now() % every)
            await self.tick()

    async def tick(self) -> None:
        """Look once. A queue that cannot be asked makes neither a point nor an event: nothing is made up."""
        try:
            if self.listeners:
                await self._depth.within(self._young_seconds)
            else:
                await self._depth.lately(self._young_seconds, moved_at=self._pace.moved_at)
        except IraasError:
            return  # /readyz says so, and whoever posts hears it
        if self._clock.boot() - self._pointed_at > POINT_SECONDS - EVENT_SECONDS / 2:
            self._remember()
        if self.listeners:
            self._event = _framed(self._view(None))
            self._stir()

    async def look(self, *, history: bool) -> FleetView:
        """The fleet now. Raises `BackendUnavailable`."""
        await self._depth.within(self._young_seconds)
        return self._view(self._points if history else None)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """One more listens, within this block. Raises `OutOfRoom`."""
        if self.listeners >= MAX_LISTENERS:
            raise OutOfRoom(
                f"{MAX_LISTENERS} listen already; GET /v1/fleet answers", retry_after=FULL_RETRY_SECONDS
            )
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    async def events(self, first: FleetView) -> AsyncIterator[bytes]:
        """Server-sent events, `first` at once, until `close` or `MAX_STREAM_SECONDS`."""
        until = self._clock.boot() + MAX_STREAM_SECONDS
        yield b"retry: %d\n" % RECONNECT_MS + _framed(first)
        while not self._closed and self._clock.boot() < until:
            yield await self._next()

    def close(self) -> None:
        """End every stream, now and from now on: the process is about to end."""
        self._closed = True
        self._event = KEEP_ALIVE
        self._stir()

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await self._beat.wait()
        except TimeoutError:
            return KEEP_ALIVE
        return self._event

    def _stir(self) -> None:
        beat, self._beat = self._beat, asyncio.Event()
        beat.set()

    def _remember(self) -> None:
        self._pointed_at = self._clock.boot()
        self._points.append(
            history_point(
                self._clock.time(),
                depth=self._depth.sample,
                state=self._fleet.state(),
                rate=self._pace.rate(POINT_SECONDS),
                p95_ms=self._pace.latency(POINT_SECONDS).p95,
            )
        )

    def _view(self, history: deque[HistoryPoint] | None) -> FleetView:
        return fleet_view(
            self._clock.time(),
            depth=self._depth.sample,
            state=self._fleet.state(),
            report=self._fleet.report(),
            rate=self._pace.rate(LIVE_SECONDS),
            latency=self._pace.latency(LIVE_SECONDS),
            service_seconds=self._pace.service_seconds,
            history=history,
        )


def _framed(view: FleetView) -> bytes:
    return b"id: %d\nevent: fleet\ndata: %b\n\n" % (round(1000 * view.at), msgspec.json.encode(view))
