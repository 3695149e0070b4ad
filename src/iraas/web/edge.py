"""Around every request: who asks, which road it takes, what it came to, and a last resort when something breaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iraas.errors import InternalError, IraasError
from iraas.telemetry import Log, Telemetry
from iraas.web.auth import PAGE_PREFIX, Gatekeeper
from iraas.web.limits import ClientGone
from iraas.web.problems import ProblemResponse

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
]

Handler = Callable[[Request], Awaitable[Response]]


class Edge:
    """The outermost part of the application. `direct` requests do not pass through the framework."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        gatekeeper: Gatekeeper,
        telemetry: Telemetry,
        direct: Mapping[tuple[str, str], Handler],
    ) -> None:
        self._app = app
        self._direct = direct  # method and path -> its handler, past the framework
        self._gatekeeper = gatekeeper
        self._telemetry = telemetry
        self._log = Log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        if scope["method"] == "HEAD":  # a GET whose body the server leaves out (RFC 9110, section 9.3.2)
            scope = {**scope, "method": "GET"}
            scope["state"]["head"] = True  # for a response that would not end by itself
        status = 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SECURITY]
                if scope["path"].startswith(PAGE_PREFIX):  # or old scripts would meet a new page
                    message["headers"].append((b"cache-control", b"no-cache"))
            await send(message)

        try:
            scope["state"]["owner"] = self._gatekeeper.owner(
                scope["method"], scope["path"], Headers(scope=scope)
            )
            handler = self._direct.get((scope["method"], scope["path"]))
            if handler is None:
                await self._app(scope, receive, counted)
            else:
                response = await handler(Request(scope, receive))
                await response(scope, receive, counted)
        except ClientGone:
            status = 499  # nginx' number for a client that hung up
        except IraasError as error:
            await ProblemResponse(error)(scope, receive, counted)
        except Exception as error:  # noqa: BLE001 - the last resort
            self._log("web.failed", level="error", path=scope["path"], exc_info=error)
            if not status:  # else a response is on its way, or has been sent
                await ProblemResponse(InternalError())(scope, receive, counted)
        self._count(scope, status)

    def _count(self, scope: Scope, status: int) -> None:
        route = getattr(scope.get("route"), "path", "other")  # never the client's own words
        if (scope["method"], scope["path"]) in self._direct:
            route = scope["path"]
        self._telemetry.count("iraas_requests_total", route=route, status=str(status))
        slug = scope["state"].get("problem")
        if slug:
            self._telemetry.count("iraas_problems_total", slug=slug)
            self._log("web.refused", level="debug", route=route, status=status, slug=slug)
