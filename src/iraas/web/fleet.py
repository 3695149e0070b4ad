"""GET /v1/fleet: how the queue and the workers are. GET /v1/fleet/events: the same, each second, as it goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from iraas.web import openapi
from iraas.web.fleet_view import FleetView
from iraas.web.pulse import MAX_STREAM_SECONDS, Pulse

EVENT_STREAM = "text/event-stream"
LIVE = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect events before it passes them on
}
History = Annotated[int, Query(ge=0, le=1, description="0 leaves the last ten minutes out")]


class EventStream(StreamingResponse):
    """The events that one listener hears. It has a place among the listeners while it is being sent."""

    def __init__(self, pulse: Pulse, first: FleetView) -> None:
        super().__init__(pulse.events(first), headers=LIVE, media_type=EVENT_STREAM)
        self._pulse = pulse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, or the process ends. Raises `OutOfRoom` before the first byte."""
        with self._pulse.listening(), suppress(TimeoutError):  # of a listener that reads no more
            async with asyncio.timeout(MAX_STREAM_SECONDS):
                await super().__call__(scope, receive, send)


def routes(pulse: Pulse) -> APIRouter:
    """The routes of the fleet."""
    router = APIRouter(prefix="/v1/fleet", tags=["operation"])

    @router.get("", responses=openapi.FLEET, response_model=None)
    async def fleet(history: History = 1) -> Response:
        """Queue depth, workers, throughput, latency, and the latest decisions in words."""
        view = await pulse.look(history=bool(history))
        return Response(msgspec.json.encode(view), headers=LIVE, media_type="application/json")

    @router.get("/events", responses=openapi.EVENTS, response_model=None)
    async def events(request: Request) -> Response:
        """The same as server-sent events: the first with the last ten minutes, then one a second without."""
        if request.scope["state"].get("head"):  # a response to HEAD ends with its headers (RFC 9110, 9.3.2)
            return Response(headers=LIVE, media_type=EVENT_STREAM)
        return EventStream(pulse, await pulse.look(history=True))

    return router
