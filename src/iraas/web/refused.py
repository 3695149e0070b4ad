"""What the framework refuses by itself -> problems: bad parameters, unknown paths, wrong methods."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount

from iraas.errors import InternalError, InvalidRequest, NotFound
from iraas.web.problems import ProblemResponse

METHODS = ("DELETE", "GET", "POST")  # that any of our paths knows


async def on_invalid_parameter(_request: Request, error: Exception) -> Response:
    """A `top` or `wait` that is none."""
    assert isinstance(error, RequestValidationError)
    cases = "; ".join(f"{line['loc'][-1]}: {line['msg']}" for line in error.errors())
    return ProblemResponse(InvalidRequest(cases))


async def on_http_error(request: Request, error: Exception) -> Response:
    """A path that leads nowhere, or a method that it does not know."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        return ProblemResponse(NotFound(f"there is no {path}; /docs lists what there is"))
    if error.status_code == 405:
        allowed = ", ".join(allowed_methods(request))
        response = _with_status(405, f"{path} takes {allowed}, and no {request.method}")
        response.headers["Allow"] = allowed
        return response
    return _with_status(error.status_code, str(error.detail))


async def on_unforeseen(_request: Request, _error: Exception) -> Response:
    """What nobody foresaw. The framework raises it again afterwards, and the edge logs it."""
    return ProblemResponse(InternalError())


def allowed_methods(request: Request) -> list[str]:
    """The methods of the request's path in all routes; the framework would name those of the first alone."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ] or ["GET"]  # the page's files, which are mounted
    return [*found, "HEAD"] if "GET" in found else found


def _with_status(status: int, detail: str) -> ProblemResponse:
    wrong: Any = InvalidRequest(detail)
    wrong.status = status
    return ProblemResponse(wrong)
