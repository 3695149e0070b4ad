"""The web tier as one ASGI application: edge -> routes -> desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iraas.errors import InternalError, IraasError
from iraas.telemetry import Log, Telemetry
from iraas.web import compat, health, images, openapi
from iraas.web.auth import Gatekeeper
from iraas.web.desk import Desk
from iraas.web.limits import ClientGone
from iraas.web.problems import ProblemResponse, on_iraas_error
from iraas.web.refused import on_http_error, on_invalid_parameter

PAGE = Path(str(files("iraas.web") / "page"))
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
]

Background = Callable[[], Awaitable[None]]


def build_app(
    *,
    desk: Desk,
    gatekeeper: Gatekeeper,
    probes: dict[str, health.Probe],
    measure: health.Probe,
    telemetry: Telemetry,
    lifespan: Callable[[], AbstractAsyncContextManager[None]],
    background: Sequence[Background],
) -> ASGIApp:
    """The application. `lifespan` opens and closes what requests need; `background` runs beside them."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with lifespan():
            tasks = [asyncio.ensure_future(task()) for task in background]
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
    app.include_router(images.routes(desk))
    app.include_router(compat.routes(desk))
    app.include_router(health.routes(probes=probes, measure=measure, telemetry=telemetry))
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.add_api_route("/", _page("index.html"), include_in_schema=False)
    app.add_api_route("/docs", _page("docs.html"), include_in_schema=False)
    app.add_exception_handler(IraasError, on_iraas_error)
    app.add_exception_handler(RequestValidationError, on_invalid_parameter)
    app.add_exception_handler(HTTPException, on_http_error)
    openapi.describe(app)
    return Edge(app, gatekeeper=gatekeeper, telemetry=telemetry)


class Edge:
    """Around every request: who asks, what it came to, and a last resort when something breaks."""

    def __init__(self, app: ASGIApp, *, gatekeeper: Gatekeeper, telemetry: Telemetry) -> None:
        self._app = app
        self._gatekeeper = gatekeeper
        self._telemetry = telemetry
        self._log = Log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # a GET whose body the server leaves out (RFC 9110, section 9.3.2)
            scope = {**scope, "method": "GET"}
        scope.setdefault("state", {})
        status = 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SECURITY]
            await send(message)

        try:
            scope["state"]["owner"] = self._gatekeeper.owner(
                scope["method"], scope["path"], Headers(scope=scope)
            )
            await self._app(scope, receive, counted)
        except ClientGone:
            status = 499  # nginx' number for a client that hung up
        except IraasError as error:
            await ProblemResponse(error)(scope, receive, counted)
        except Exception as error:
            self._log("web.failed", level="error", path=scope["path"], exc_info=error)
            if status:
                raise
            await ProblemResponse(InternalError())(scope, receive, counted)
        self._count(scope, status)

    def _count(self, scope: Scope, status: int) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._telemetry.count("iraas_requests_total", route=route, status=str(status))
        slug = scope["state"].get("problem")
        if slug:
            self._telemetry.count("iraas_problems_total", slug=slug)
            self._log("web.refused", level="debug", route=route, status=status, slug=slug)


def _page(name: str) -> Callable[[], Awaitable[Response]]:
    async def serve() -> Response:
        return FileResponse(PAGE / name, headers={"Cache-Control": "no-cache"})

    return serve
