"""The one error tree: what went wrong -> slug, HTTP status, title, and whether trying again may help.

The first line of a class's docstring is the title that a user reads; `detail` says what this case was
and, where there is one, the mend. The slugs are stable: clients may compare them (RFC 9457, section 3.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

__all__ = [
    "BackendUnavailable",
    "BodyTooSlow",
    "ClassifierCrashed",
    "ConfigurationError",
    "Deleted",
    "EmptyImage",
    "ForbiddenOrigin",
    "HeadersTooLarge",
    "IdempotencyMismatch",
    "ImageTooLarge",
    "InputExpired",
    "InternalError",
    "InvalidRequest",
    "IraasError",
    "MissingImage",
    "NotFound",
    "OutOfRoom",
    "Overloaded",
    "QueueVanished",
    "TooManyChunks",
    "TooManyPixels",
    "Unauthorized",
    "UndecodableImage",
    "UnsupportedMediaType",
    "error_for",
]


class IraasError(Exception):
    """Something went wrong in iraas."""

    slug: ClassVar[str] = ""
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or self.title())
        self.detail = detail
        self.retry_after = retry_after  # seconds
        self.id: str | None = None  # of the image, where a client knows it

    @classmethod
    def title(cls) -> str:
        """The sentence that a user reads: the docstring's first line."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]


class ConfigurationError(IraasError):
    """A setting, a model folder or this machine is not fit to start the service.

    Never reaches HTTP: a command prints it in one line and exits with code 2.
    """


class MissingImage(IraasError):
    """The request carries no image."""

    slug, status = "missing-image", 400


class EmptyImage(IraasError):
    """The image has no bytes."""

    slug, status = "empty-image", 400


class InvalidRequest(IraasError):
    """The request is not well formed."""

    slug, status = "invalid-request", 400


class Unauthorized(IraasError):
    """A valid API key is needed."""

    slug, status = "unauthorized", 401


class ForbiddenOrigin(IraasError):
    """This server without keys answers only to this machine's own pages and names."""

    slug, status = "forbidden-origin", 403


class NotFound(IraasError):
    """There is nothing here for you."""

    slug, status = "not-found", 404


class BodyTooSlow(IraasError):
    """The request's body did not arrive in time."""

    slug, status, retryable = "body-too-slow", 408, True


class InputExpired(IraasError):
    """The image was no longer stored when a worker came for it."""

    slug, status = "input-expired", 410


class Deleted(IraasError):
    """The image of this idempotency key was deleted."""

    slug, status = "deleted", 410


class ImageTooLarge(IraasError):
    """The image has more bytes than this service takes."""

    slug, status = "image-too-large", 413


class UnsupportedMediaType(IraasError):
    """This is not a PNG, JPEG or WebP image."""

    slug, status = "unsupported-media-type", 415


class UndecodableImage(IraasError):
    """The image is damaged or cut short."""

    slug, status = "undecodable-image", 422


class TooManyPixels(IraasError):
    """The image has more pixels than this service takes."""

    slug, status = "too-many-pixels", 422


class TooManyChunks(IraasError):
    """The PNG is made of more chunks than this service takes."""

    slug, status = "too-many-chunks", 422


class IdempotencyMismatch(IraasError):
    """This idempotency key was used for another image."""

    slug, status = "idempotency-mismatch", 422


class Overloaded(IraasError):
    """More images are waiting than can be answered soon."""

    slug, status, retryable = "overloaded", 429, True


class HeadersTooLarge(IraasError):
    """The request's headers are larger than this service takes."""

    slug, status = "headers-too-large", 431


class ClassifierCrashed(IraasError):
    """The classifier broke on this image, twice."""

    slug, status = "classifier-crashed", 500


class InternalError(IraasError):
    """The service failed in a way that it did not foresee."""

    slug, status, retryable = "internal-error", 500, True


class BackendUnavailable(IraasError):
    """The queue or the store cannot be reached."""

    slug, status, retryable = "backend-unavailable", 503, True


class QueueVanished(BackendUnavailable):
    """The queue does not exist any more."""


class OutOfRoom(IraasError):
    """Memory for uploads or room in the store is at its limit."""

    slug, status, retryable = "out-of-room", 503, True


def _tree(root: type[IraasError]) -> Iterator[type[IraasError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def error_for(slug: str, detail: str = "", *, retry_after: float | None = None) -> IraasError:
    """The error of a slug that was stored or sent; an unknown slug becomes `InternalError`."""
    kind = next((kind for kind in _tree(IraasError) if kind.slug == slug), InternalError)
    return kind(detail, retry_after=retry_after)
