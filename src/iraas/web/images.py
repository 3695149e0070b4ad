"""HTTP in, HTTP out: POST, GET and DELETE of /v1/images."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from iraas.errors import InvalidRequest, NotFound, error_for
from iraas.messages import STORED_PREDICTIONS, Answer, Failure, Record, Tombstone
from iraas.web import openapi
from iraas.web.desk import Desk, owner_of
from iraas.web.edge import Handler
from iraas.web.problems import ProblemResponse

MAX_TOP = STORED_PREDICTIONS
MAX_WAIT = 60.0  # seconds
Top = Annotated[int, Query(ge=1, le=MAX_TOP, description="How many labels to give, best first")]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for the answer")]
Id = Annotated[str, Path(description="The id that POST gave", json_schema_extra={"format": "uuid"})]
RETRY_AFTER_SECONDS = 1
PATH = "/v1/images"


class PostQuery(msgspec.Struct):
    """The query of a post, with the bounds that `Top` and `Wait` document."""

    top: Annotated[int, msgspec.Meta(ge=1, le=MAX_TOP)] = 5
    wait: Annotated[float, msgspec.Meta(ge=0, le=MAX_WAIT)] = 30.0


def routes(desk: Desk) -> tuple[APIRouter, Handler]:
    """The routes of an image, and the direct road of POST.

    Nearly every request is a post. FastAPI's way from a path to its function cost a fifth of the web tier's
    work for one, so the edge takes the direct road; the route describes it, and serves where there is no edge.
    """
    router = APIRouter(prefix=PATH, tags=["images"])

    @router.post("", responses=openapi.OUTCOMES, openapi_extra=openapi.IMAGE_BODY, response_model=None)
    async def classify(
        request: Request,
        top: Top = 5,
        wait: Wait = 30.0,
        idempotency_key: Annotated[str | None, Header(description="The same key never queues twice")] = None,
        prefer: Annotated[str | None, Header(description="`respond-async` is `wait=0`")] = None,
    ) -> Response:
        """Upload a picture and get its labels."""
        if prefer is not None and "respond-async" in prefer.lower():
            wait = 0.0
        receipt = await desk.take(request, wait=wait, idempotency_key=idempotency_key)
        return respond(receipt.id, receipt.record, top)

    @router.get("/{id}", responses=openapi.OUTCOMES, response_model=None)
    async def answer(request: Request, id: Id, top: Top = 5, wait: Wait = 0.0) -> Response:  # noqa: A002
        """The labels of a picture that was uploaded before."""
        job_id = parsed(id)
        return respond(job_id, await desk.find(job_id, owner_of(request), wait=wait), top)

    @router.delete("/{id}", status_code=204, responses=openapi.PROBLEMS, response_model=None)
    async def delete(request: Request, id: Id) -> Response:  # noqa: A002
        """Remove a picture and its labels."""
        await desk.delete(parsed(id), owner_of(request))
        return Response(status_code=204)

    async def post(request: Request) -> Response:
        query = post_query(request)
        headers = request.headers
        return await classify(
            request, query.top, query.wait, headers.get("idempotency-key"), headers.get("prefer")
        )

    return router, post


def post_query(request: Request) -> PostQuery:
    """The query of a post. Raises `InvalidRequest`."""
    if not request.scope["query_string"]:
        return PostQuery()
    try:
        return msgspec.convert(dict(request.query_params), PostQuery, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None


def parsed(job_id: str) -> str:
    """An id in its one spelling, before any store sees it. Raises `NotFound` for what is no UUID."""
    try:
        return str(uuid.UUID(job_id))
    except ValueError:
        raise NotFound("an id is a UUID, as POST /v1/images gave it") from None


def respond(job_id: str, record: Record | None, top: int) -> Response:
    """A record as the client sees it: 200, 202, or the problem of its failure."""
    match record:
        case None:
            pending = msgspec.json.encode({"id": job_id, "state": "pending"})
            headers = {"Location": f"/v1/images/{job_id}", "Retry-After": str(RETRY_AFTER_SECONDS)}
            return Response(pending, 202, headers, media_type="application/json")
        case Record(outcome=Answer() as answer):
            shown = msgspec.structs.replace(answer, predictions=answer.predictions[:top])
            return Response(msgspec.json.encode(shown), media_type="application/json")
        case Record(outcome=Failure(slug=slug, detail=detail)):
            return ProblemResponse(error_for(slug, detail), id=job_id, state="failed")
        case Record(outcome=Tombstone()):
            raise NotFound(f"the image {job_id} was deleted")
    raise InvalidRequest(f"the record of {job_id} is of no kind that this version knows")
