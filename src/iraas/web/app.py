"""The web tier as one ASGI application: edge -> routes -> desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from iraas.errors import IraasError
from iraas.telemetry import Log, Telemetry
from iraas.web import compat, fleet, health, images, openapi
from iraas.web.auth import Gatekeeper
from iraas.web.desk import Desk
from iraas.web.edge import Edge
from iraas.web.problems import on_iraas_error
from iraas.web.pulse import Pulse
from iraas.web.refused import on_http_error, on_invalid_parameter, on_unforeseen

PAGE = Path(str(files("iraas.web") / "page"))
RESTART_SECONDS = 5.0  # after a background task failed in a way that it did not foresee

Background = Callable[[], Awaitable[None]]


def build_app(
    *,
    desk: Desk,
    pulse: Pulse,
    gatekeeper: Gatekeeper,
    probes: dict[str, health.Probe],
    measure: health.Probe,
    telemetry: Telemetry,
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
    background: Mapping[str, Background],
) -> ASGIApp:
    """The application. `lifespan` opens and closes what requests need; `background` runs beside them."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with lifespan():
            tasks = [asyncio.create_task(keep_running(name, task)) for name, task in background.items()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="iraas",
        version=version("iraas"),
        description="Image recognition as a service: a picture in, its label out.",
        lifespan=life,
        docs_url=None,  # ours are served from the package, not from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect without words would lose an upload
    )
    image_routes, post = images.routes(desk)
    app.include_router(image_routes)
    app.include_router(compat.routes(desk))
    app.include_router(fleet.routes(pulse))
    app.include_router(health.routes(probes=probes, measure=measure, telemetry=telemetry))
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.add_api_route("/", _page("index.html"), include_in_schema=False)
    app.add_api_route("/docs", _page("docs.html"), include_in_schema=False)
    app.add_exception_handler(IraasError, on_iraas_error)
    app.add_exception_handler(RequestValidationError, on_invalid_parameter)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Exception, on_unforeseen)
    openapi.describe(app)
    return Edge(app, gatekeeper=gatekeeper, telemetry=telemetry, direct={("POST", images.PATH): post})


async def keep_running(name: str, task: Background) -> None:
    """Run a background task until cancelled: what ends it by an error is logged, and it begins again."""
    while True:
        try:
            await task()
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the service needs its background
            Log()("background.failed", level="error", task=name, exc_info=error)
            await asyncio.sleep(RESTART_SECONDS)


def _page(name: str) -> Callable[[], Awaitable[Response]]:
    async def serve() -> Response:
        return FileResponse(PAGE / name, headers={"Cache-Control": "no-cache"})

    return serve
