"""Request + Image -> httpx2's arguments; httpx2's response or error -> Response | Lost."""

from __future__ import annotations

import os
import random
import ssl
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import httpx2

from iraas.client_protocol import Conversations, Request
from iraas.client_responses import Lost, Response
from iraas.clock import Clock
from iraas.errors import ConfigurationError, InvalidRequest

Image = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
Upload = dict[str, Any]  # the arguments of httpx2 that carry an image

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Service:
    """Where the service is and how to speak to it; the same for both clients.

    Raises `ConfigurationError` when the address is none, or the API key cannot stand in a header.
    """

    def __init__(self, url: str, *, api_key: str | None, timeout: float, retries: int, clock: Clock) -> None:
        self._url = _address(url)
        self._timeout = timeout
        self.conversations = Conversations(self._url, retries=retries, clock=clock, jitter=random.random)
        self.connection: dict[str, Any] = {
            "headers": _authorization(os.environ.get("IRAAS_API_KEY", "") if api_key is None else api_key),
            "limits": httpx2.Limits(max_connections=None),  # the caller's threads or tasks are the limit
            **_way_to(httpx2.URL(self._url)),
        }

    def arguments(self, request: Request, upload: Upload | None) -> dict[str, Any]:
        """What httpx2's `request` takes to send this."""
        sent = upload if upload and request.carries_image else {}
        media_type = {"Content-Type": "application/octet-stream"} if "content" in sent else {}
        return {
            "method": request.method,
            "url": self._url + request.path,
            "params": request.params,
            "headers": {**request.headers, **media_type},
            "timeout": httpx2.Timeout(self._timeout, read=self._timeout + request.params.get("wait", 0)),
            **sent,
        }


@contextmanager
def prepared(image: Image, filename: str | None) -> Iterator[Upload]:
    """An image, ready to be sent any number of times: multipart with its name, or raw when it has none.

    A file named by path is streamed, so that the server can refuse a huge one by its declared length; a file
    object is read into memory from where it stands. Raises what opening or reading raises.
    """
    if isinstance(image, str | os.PathLike):
        with Path(image).open("rb") as file:
            is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file if is_regular else file.read()  # a pipe has no length, and no second reading
            yield _upload(data, filename or Path(image).name)
    elif isinstance(image, bytes | bytearray | memoryview):
        yield _upload(bytes(image), filename)
    else:
        content = image.read()
        if not isinstance(content, bytes):
            raise TypeError("the file gives text: open it in binary mode ('rb')")
        own = getattr(image, "name", None)  # an int when the file was opened by descriptor
        yield _upload(content, filename or (Path(own).name if isinstance(own, str) else None))


def idempotency(key: str | None) -> str:
    """The caller's idempotency key, or a new one. Raises `InvalidRequest` when no header can carry it."""
    if key is not None and not _fits_a_header(key):
        raise InvalidRequest("an idempotency key is made of 16 to 255 printable ASCII characters")
    return str(uuid.uuid4()) if key is None else key


def received(response: httpx2.Response) -> Response:
    """A response that was read to its end."""
    return Response(response.status_code, response.headers, response.content)


def lost(error: httpx2.RequestError) -> Lost:
    """Why no response came. Raises `InvalidRequest` when the request cannot be sent at all, now or later."""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
        raise InvalidRequest(f"this request cannot be sent ({words})") from error
    return Lost(words)


def _upload(data: bytes | BinaryIO, filename: str | None) -> Upload:
    if filename:
        name = filename.encode(errors="replace").decode()  # a name on disk need not be UTF-8
        return {"files": {"file": (name, data, "application/octet-stream")}}  # httpx2 quotes CR, LF and `"`
    return {"content": data}


def _address(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"url {url!r} is no address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.fragment:
        raise ConfigurationError(
            f"url {url!r} is not like http://127.0.0.1:8080 or https://example.org/prefix"
        )
    if parsed.userinfo:  # it would replace the API key, and stand in every error's words
        raise ConfigurationError("url must not hold a user or password; the service takes an api_key")
    return url.rstrip("/")


def _way_to(address: httpx2.URL) -> dict[str, Any]:
    if address.host not in _LOOPBACK_HOSTS:
        return {}
    way: dict[str, Any] = {"trust_env": False}  # no proxy stands between a machine and itself
    if address.scheme == "http":
        way["verify"] = ssl.SSLContext(
            ssl.PROTOCOL_TLS_CLIENT
        )  # trusts nobody; the usual one loads for 50 ms
    return way


def _authorization(api_key: str) -> dict[str, str]:
    key = api_key.strip()  # one that was read from a file ends with a newline
    if not _fits_a_header(key):
        raise ConfigurationError(
            "api_key holds characters that no header can carry; `iraas keys new` prints a key"
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()
