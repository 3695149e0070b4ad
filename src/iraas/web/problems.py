"""IraasError -> application/problem+json (RFC 9457), with the headers that its status asks for.

A problem may be sent while the client still uploads. Closing at once would reset the connection under the
response, so the rest of the body is read and thrown away for a moment first (RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from iraas.errors import IraasError

MEDIA_TYPE = "application/problem+json"
LINGER_SECONDS = 2.0  # for a client that goes on sending after it was refused
BODY_READ = "iraas.body_read"  # in the scope's state: nothing of the body is left to come


def problem(error: IraasError, **members: Any) -> dict[str, Any]:
    """The members of a problem; `members` are those of this case, such as `id` and `state`."""
    return {
        "type": error.slug or "about:blank",
        "title": error.title(),
        "status": error.status,
        "detail": error.detail or error.title(),
        "retryable": error.retryable,
        **members,
    }


def headers(error: IraasError) -> dict[str, str]:
    """The headers that go with an error's status."""
    found = {}
    if error.status in (429, 503):
        found["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1)))
    if error.status == 401:
        found["WWW-Authenticate"] = "Bearer"
    return found


class ProblemResponse(Response):
    """A problem as a response. Ends the connection when the request's body was not read to its end."""

    media_type = MEDIA_TYPE

    def __init__(self, error: IraasError, **members: Any) -> None:
        self.slug = error.slug
        super().__init__(msgspec.json.encode(problem(error, **members)), error.status, headers(error))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; then linger for what the client still sends."""
        scope["state"]["problem"] = self.slug
        if scope["state"].get(BODY_READ) or not _has_body(scope):
            await super().__call__(scope, receive, send)
            return
        start = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": start})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body"):
                    pass
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def on_iraas_error(_request: Request, error: Exception) -> Response:
    """Exception handler for everything that iraas raises."""
    assert isinstance(error, IraasError)
    return ProblemResponse(error)
