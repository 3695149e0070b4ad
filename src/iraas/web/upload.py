"""request -> Upload: the first file part of a multipart body, or a raw body of any other content type."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from starlette.requests import Request

from iraas.errors import EmptyImage, ImageTooLarge, InvalidRequest, MissingImage
from iraas.web.limits import BodyBudget, BodyLimits, read_body
from iraas.web.problems import BODY_READ

MAX_PARTS = 16
FORM_BYTES = 65_536  # boundaries, part headers and small fields beside the picture
_ONE_TO_ONE = "latin-1"  # a letter for each byte: a picture must not be refused for the bytes of its name


class Upload(NamedTuple):
    """A picture as it came."""

    data: bytes
    filename: str | None


class _Collector:
    """Bytes in, picture out; what is too much is refused as soon as it shows."""

    def __init__(self, budget: BodyBudget, max_bytes: int) -> None:
        self._budget = budget
        self._max_bytes = max_bytes
        self._chunks: list[bytes | bytearray] = []
        self.size = 0
        self.filename: str | None = None

    def add(self, chunk: bytes | bytearray) -> None:
        self._budget.hold(len(chunk))
        self.size += len(chunk)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._chunks.append(chunk)

    def picture(self) -> bytes:
        whole = b"".join(self._chunks)
        self._chunks.clear()  # or every body would be in memory twice
        return whole


class _FormReader:
    """Multipart bytes in; the first file part goes to the collector, everything else is passed over."""

    def __init__(self, boundary: str, collector: _Collector) -> None:
        self._parser = PushMultipartParser(
            boundary, max_segment_count=MAX_PARTS, max_header_size=8_192, header_charset=_ONE_TO_ONE
        )
        self._collector = collector
        self._part: MultipartSegment | None = None
        self.found: MultipartSegment | None = None

    @property
    def filename(self) -> str | None:
        """The file part's name, in UTF-8 (RFC 7578, section 5.1); what is none becomes a replacement mark."""
        name = self.found.filename if self.found is not None else None
        return name.encode(_ONE_TO_ONE).decode("utf-8", errors="replace") if name else None

    def feed(self, chunk: bytes) -> None:
        try:
            for event in self._parser.parse(chunk) if chunk else ():
                if isinstance(event, MultipartSegment):
                    self._part = event
                    if self.found is None and event.filename is not None:
                        self.found = event
                elif event is not None and self._part is self.found:
                    self._collector.add(bytes(event))
        except MultipartError as error:
            raise InvalidRequest(f"the multipart body cannot be read: {error}") from error

    def close(self) -> None:
        try:
            self._parser.close()
        except MultipartError as error:
            raise InvalidRequest(f"the multipart body cannot be read: {error}") from error


class UploadReader:
    """Reads one request's picture; on the way out gives its bytes back to the budget."""

    def __init__(
        self, request: Request, *, budget: BodyBudget, limits: BodyLimits, max_image_bytes: int
    ) -> None:
        self._request = request
        self._budget = budget
        self._limits = limits
        self._max_image_bytes = max_image_bytes
        self._collector = _Collector(budget, max_image_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()

    def forget(self) -> None:
        """Give the bytes back to the budget before the block's end."""
        self._budget.release(self._collector.size)
        self._collector = _Collector(self._budget, self._max_image_bytes)

    async def read(self) -> Upload:
        """The picture.

        Raises `ImageTooLarge` (before anything is read, when the length is declared), `MissingImage`,
        `EmptyImage`, `InvalidRequest`, `BodyTooSlow`, `OutOfRoom`, and `ClientGone`.
        """
        kind, options = parse_options_header(self._request.headers.get("content-type", ""))
        is_form = kind == "multipart/form-data"
        self._check_declared(FORM_BYTES if is_form else 0)
        if not is_form:
            await self._receive(self._collector.add)
            if not self._collector.size:
                raise EmptyImage("the body has no bytes; send the image as the body or as a form's file")
            return Upload(self._collector.picture(), None)
        boundary = options.get("boundary", "")
        if not 1 <= len(boundary) <= 256:
            raise InvalidRequest("Content-Type: multipart/form-data needs its boundary")
        form = _FormReader(boundary, self._collector)
        await self._receive(form.feed)
        form.close()
        if form.found is None:
            raise MissingImage(
                "send the image as a form field with a file, for example `curl -F file=@cat.png`"
            )
        if not self._collector.size:
            raise EmptyImage("the file has no bytes")
        return Upload(self._collector.picture(), form.filename)

    def _check_declared(self, allowance: int) -> None:
        declared = self._request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._max_image_bytes + allowance:
            raise too_large(self._max_image_bytes)

    async def _receive(self, feed: Callable[[bytes], None]) -> None:
        left = self._max_image_bytes + FORM_BYTES

        def bounded(chunk: bytes) -> None:
            nonlocal left
            left -= len(chunk)
            if left < 0:
                raise too_large(self._max_image_bytes)
            feed(chunk)

        await read_body(self._request.receive, bounded, self._limits)
        self._request.scope["state"][BODY_READ] = True


def too_large(max_image_bytes: int) -> ImageTooLarge:
    """The refusal of a picture that has too many bytes."""
    return ImageTooLarge(f"an image may have {max_image_bytes:,} bytes")
