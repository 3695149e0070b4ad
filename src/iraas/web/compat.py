"""The two routes of older clients: a form field with a file in, one line of text out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from iraas.messages import Answer
from iraas.web import openapi
from iraas.web.desk import Desk, Receipt
from iraas.web.images import respond

WAIT_SECONDS = 120.0  # these clients know no 202


def routes(desk: Desk) -> APIRouter:
    """The compatibility routes."""
    router = APIRouter(tags=["compatibility"])

    @router.post(
        "/uploadImagesAndGetResults",
        response_class=PlainTextResponse,
        responses=openapi.TEXT,
        openapi_extra=openapi.IMAGE_BODY,
        response_model=None,
    )
    async def upload_images_and_get_results(request: Request) -> Response:
        """`{NAME}: {LABEL}`, for the clients of the system that this one replaces."""
        receipt = await desk.take(request, wait=WAIT_SECONDS)
        return _line(receipt, lambda name, label: f"{{{name}}}: {{{label}}}")

    @router.post(
        "/",
        response_class=PlainTextResponse,
        responses=openapi.TEXT,
        openapi_extra=openapi.IMAGE_BODY,
        response_model=None,
    )
    async def upload(request: Request) -> Response:
        """`NAME:LABEL`, NAME without its extension, for the workload generators of a course."""
        receipt = await desk.take(request, wait=WAIT_SECONDS)
        return _line(receipt, lambda name, label: f"{PurePath(name).stem}:{label}")

    return router


def _line(receipt: Receipt, form: Callable[[str, str], str]) -> Response:
    if receipt.record is None:
        return PlainTextResponse(
            f"no answer after {WAIT_SECONDS:.0f} s; it will be at /v1/images/{receipt.id}", status_code=504
        )
    answer = receipt.record.outcome
    if not isinstance(answer, Answer):
        return respond(receipt.id, receipt.record, top=1)
    # Line breaks would be more lines, and marks that turn the writing round would hide which name it is.
    name = "".join(letter for letter in answer.filename or "" if letter.isprintable())
    return PlainTextResponse(form(name, answer.label))
