"""What is wanted -> requests and pauses -> Answer. Decides all that a client decides; does no I/O.

    Client, AsyncClient --Response | Lost--> Conversation --Request | Pause--> Client, AsyncClient

A conversation is a generator that yields what to do next and is sent what came of it. So both clients behave
alike, and a test plays the server without a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from iraas.client_responses import (
    Accepted,
    Lost,
    Response,
    StillPending,
    about,
    decoded,
    failure,
    retry_after,
)
from iraas.clock import Clock
from iraas.messages import Answer

BACKOFF_SECONDS = 0.2  # ceiling of the first pause; each next one is twice as high
BACKOFF_MAX_SECONDS = 10.0
LONG_POLL_SECONDS = 30  # that one request lets the server wait; proxies often cut at 60
POLL_SECONDS = 1.0  # between two polls, when the 202 does not say
POLL_MIN_SECONDS = 0.1  # even if it says less: a server that does not hold requests would be asked in a spin
GIVE_UP_SECONDS = 120.0  # for all tries of a call, where its `wait` is not longer

IMAGES = "/v1/images"


class Request(NamedTuple):
    """What to send."""

    method: str
    path: str  # below the service's address
    params: Mapping[str, int] = {}
    headers: Mapping[str, str] = {}
    carries_image: bool = False


class Pause(NamedTuple):
    """Do nothing for a while."""

    seconds: float


class Until(NamedTuple):
    """When a call ends, in boot time."""

    answer_by: float  # the server is asked to hold requests until then
    give_up: float  # no request is sent again after this


_T = TypeVar("_T")
Conversation = Generator[Request | Pause, Response | Lost | None, _T]


class Conversations:
    """How each call of a client goes.

    `url` is the service's address, `retries` how often one request is sent again, `jitter` draws from 0 to 1.
    Every conversation raises the error of a final response that is no 2xx (see `client_responses.failure`).
    """

    def __init__(self, url: str, *, retries: int, clock: Clock, jitter: Callable[[], float]) -> None:
        self._url, self._retries, self._clock, self._jitter = url, retries, clock, jitter

    def classify(self, key: str, *, top: int, wait: float) -> Conversation[Answer]:
        """Post the image under an idempotency key and see it through; `StillPending` after `wait` seconds."""
        until = self._until(wait, retry_for=wait)
        post = Request("POST", IMAGES, {"top": top}, {"Idempotency-Key": key}, carries_image=True)
        response = yield from self._exchange(post, until)
        if response.status == 202:
            image_id = decoded(Accepted, response).id
            poll = Request("GET", self._poll_path(response, image_id), {"top": top})
            response = yield from self._poll(poll, response, until, image_id)
            if response.status == 202:
                words = f"no answer within {wait:g} s; ask for the result of {image_id} later"
                raise about(image_id, StillPending(words))
        return decoded(Answer, response)

    def submit(self, key: str) -> Conversation[str]:
        """Post the image under an idempotency key; the job's id."""
        post = Request("POST", IMAGES, headers={"Idempotency-Key": key}, carries_image=True)
        response = yield from self._exchange(post, self._until(0.0))
        return decoded(Accepted, response).id

    def result(self, image_id: str, *, top: int, wait: float) -> Conversation[Answer | None]:
        """The answer, or None when it is not there after `wait` seconds."""
        until = self._until(wait)
        get = Request("GET", _path(image_id), {"top": top})
        response = yield from self._exchange(get, until, image_id)
        response = yield from self._poll(get, response, until, image_id)
        return None if response.status == 202 else decoded(Answer, response)

    def delete(self, image_id: str) -> Conversation[None]:
        """Remove the image and its answer."""
        yield from self._exchange(Request("DELETE", _path(image_id)), self._until(0.0), image_id)

    def _until(self, wait: float, *, retry_for: float = GIVE_UP_SECONDS) -> Until:
        now = self._clock.boot()
        return Until(now + wait, now + max(wait, retry_for))

    def _poll(self, get: Request, response: Response, until: Until, image_id: str) -> Conversation[Response]:
        """Ask again after each 202, until the time is over."""
        while response.status == 202 and (left := until.answer_by - self._clock.boot()) > 0:
            asked = retry_after(response.headers)
            yield Pause(min(left, max(POLL_MIN_SECONDS, POLL_SECONDS if asked is None else asked)))
            response = yield from self._exchange(get, until, image_id)
        return response

    def _exchange(
        self, request: Request, until: Until, image_id: str | None = None
    ) -> Conversation[Response]:
        """Send, and send again while that may help: a 2xx, or the error of what came last."""
        tried = 0  # times before this one
        while True:
            outcome = yield self._held(request, until)
            assert outcome is not None, "a request has an outcome; only a pause has none"
            if isinstance(outcome, Response) and _is_success(request, outcome, tried):
                return outcome

            error, may_help = failure(outcome, self._url, image_id)
            pause = (error.retry_after or 0.0) + self._backoff(tried)
            if not may_help or tried >= self._retries or self._clock.boot() + pause > until.give_up:
                raise error
            yield Pause(pause)
            tried += 1

    def _backoff(self, tried: int) -> float:
        """Full jitter, up to a ceiling that doubles: many clients must not come back together."""
        return self._jitter() * min(BACKOFF_MAX_SECONDS, BACKOFF_SECONDS * 2.0 ** min(tried, 16))

    def _held(self, request: Request, until: Until) -> Request:
        """The request, with how long the server may hold its response back from now."""
        if request.method == "DELETE":
            return request
        left = int(until.answer_by - self._clock.boot())
        return request._replace(params={**request.params, "wait": max(0, min(LONG_POLL_SECONDS, left))})

    def _poll_path(self, response: Response, image_id: str) -> str:
        """Where the 202 says the answer will be, if that is below our address: the key goes nowhere else."""
        location = response.headers.get("location", "").removeprefix(self._url)
        return location if location.startswith(f"{IMAGES}/") else _path(image_id)


def _path(image_id: str) -> str:
    return f"{IMAGES}/{quote(image_id, safe='', errors='replace')}"


def _is_success(request: Request, response: Response, tried: int) -> bool:
    """A 2xx; or a 404 to what an earlier try may have deleted, though its response was lost."""
    return 200 <= response.status < 300 or (
        request.method == "DELETE" and response.status == 404 and tried > 0
    )
