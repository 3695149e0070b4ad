"""/livez without dependencies, /readyz with them, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from iraas.errors import BackendUnavailable, IraasError
from iraas.telemetry import Telemetry
from iraas.web import openapi
from iraas.web.problems import ProblemResponse

PROBE_SECONDS = 5.0
PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"

Probe = Callable[[], Awaitable[object]]


def routes(*, probes: dict[str, Probe], measure: Probe, telemetry: Telemetry) -> APIRouter:
    """Health and numbers. `probes` name what readiness needs; `measure` sets the gauges of this moment."""
    router = APIRouter(tags=["operation"])

    @router.get("/livez", response_class=PlainTextResponse)
    async def livez() -> Response:
        """Whether this process answers at all; a load balancer asks this."""
        return PlainTextResponse("ok\n")

    @router.get("/readyz", responses=openapi.READINESS, response_model=None)
    async def readyz() -> Response:
        """Whether queue and stores can be reached. It does not ask for workers: they may be asleep."""
        found = await asyncio.gather(*(_trouble(name, probe) for name, probe in probes.items()))
        troubles = [trouble for trouble in found if trouble]
        if troubles:
            return ProblemResponse(BackendUnavailable("; ".join(troubles)))
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", response_class=PlainTextResponse, responses=openapi.METRICS, response_model=None)
    async def metrics() -> Response:
        """Prometheus' text format, of all processes of this machine."""
        with suppress(IraasError):  # the other numbers are wanted most when the backend is away
            await measure()
        return Response(await asyncio.to_thread(telemetry.exposition), media_type=PROMETHEUS_TEXT)

    return router


async def _trouble(name: str, probe: Probe) -> str:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (IraasError, TimeoutError) as error:
        return f"{name}: {str(error) or 'no answer in time'}"
    return ""
