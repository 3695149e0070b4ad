"""HTTP response, or none -> Answer | IraasError: what a response means, and whether to ask again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

import msgspec

from iraas.errors import (
    BodyTooSlow,
    HeadersTooLarge,
    ImageTooLarge,
    InternalError,
    IraasError,
    Overloaded,
    Unauthorized,
    error_for,
)

RETRIED_STATUSES = frozenset({408, 429, 502, 503, 504})
EXCERPT_BYTES = 100  # of a body that is not ours, in an error's words

_SECONDS = re.compile(r"[0-9]{1,9}")


class Unreachable(IraasError):
    """The service cannot be reached."""

    slug, status, retryable = "unreachable", 503, True


class UnexpectedResponse(IraasError):
    """Something answered that does not speak as this service does."""

    slug, status = "unexpected-response", 502


class StillPending(IraasError):
    """The image is accepted, and its answer is not there yet."""

    slug, status, retryable = "still-pending", 504, True


# What a proxy on the way means when it refuses in words of its own.
_BY_STATUS: Mapping[int, type[IraasError]] = {
    kind.status: kind
    for kind in (Unauthorized, BodyTooSlow, ImageTooLarge, Overloaded, HeadersTooLarge, InternalError)
} | dict.fromkeys((502, 503, 504), Unreachable)


class Response(NamedTuple):
    """A whole HTTP response. Header names are in small letters, or the mapping does not mind case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(NamedTuple):
    """No whole response came, and nobody knows whether the request took effect."""

    reason: str


class Accepted(msgspec.Struct, frozen=True):
    """What every 2xx to a posted image says: the job's id."""

    id: str


class _Problem(msgspec.Struct, frozen=True):
    type: str
    title: str = ""
    detail: str = ""
    id: str | None = None
    state: str | None = None

    @property
    def slug(self) -> str:
        return re.split(r"[/#:]", self.type)[-1]


_T = TypeVar("_T")


def decoded(kind: type[_T], response: Response) -> _T:
    """The JSON of a 2xx as a `kind`. Raises `UnexpectedResponse`."""
    try:
        return msgspec.json.decode(response.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise about(None, _unexpected(response, f" ({error})")) from error


def failure(outcome: Response | Lost, url: str, image_id: str | None = None) -> tuple[IraasError, bool]:
    """What no 2xx came of -> its error, and whether the same request may be sent again.

    The error carries `retry_after` (seconds), and `id`: the job's, where the problem or the caller knows it.
    `url`, the service's address, stands in the words of an `Unreachable`.
    """
    if isinstance(outcome, Lost):
        return about(image_id, Unreachable(f"no answer from {url}: {outcome.reason}")), True
    problem = _problem(outcome)
    error = (problem and _of_slug(problem)) or _of_status(outcome, url)
    error.retry_after = retry_after(outcome.headers)
    job_failed = problem is not None and problem.state == "failed"  # for ever: the first answer is the answer
    about((problem and problem.id) or image_id, error)
    return error, outcome.status in RETRIED_STATUSES and not job_failed


def about(image_id: str | None, error: IraasError) -> IraasError:
    """The error, with the job's id as its attribute `id`."""
    error.id = image_id
    return error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds `Retry-After` asks for (RFC 9110, 10.2.3); None when it is absent or nonsense.

    A date counts from the response's own `Date` where it has one: the two machines' clocks may disagree.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    then = _instant(value)
    now = _instant(headers.get("date", "")) or datetime.now(UTC)
    return None if then is None else max(0.0, (then - now).total_seconds())


def _instant(value: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)  # `-0000` says UTC by a naive time


def _problem(response: Response) -> _Problem | None:
    try:
        return msgspec.json.decode(response.body, type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _of_slug(problem: _Problem) -> IraasError | None:
    error = error_for(problem.slug, problem.detail or problem.title)
    return error if error.slug == problem.slug != "" else None  # `about:blank`, or a later version's slug


def _of_status(response: Response, url: str) -> IraasError:
    if 300 <= response.status < 400:
        return UnexpectedResponse(
            f"{url} redirects to {response.headers.get('location')!r}: give that address instead"
        )
    kind = _BY_STATUS.get(response.status)
    return kind(_in_words(response)) if kind else _unexpected(response)


def _unexpected(response: Response, why: str = "") -> UnexpectedResponse:
    return UnexpectedResponse(f"{_in_words(response)}{why}; is this the address of an iraas service?")


def _in_words(response: Response) -> str:
    excerpt = response.body[:EXCERPT_BYTES].decode(errors="replace")
    return f"HTTP {response.status}: {excerpt!r}"
