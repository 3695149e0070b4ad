"""Path | bytes | binary file -> Answer, over HTTP: `Client`, and `AsyncClient` with the same methods.

    Client --Image--> client_wire --> httpx2 --Response | Lost--> client_protocol --Request--> Client

`client_protocol` decides what to send, when to send it again and when to give up; here it is carried out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar, cast

import httpx2

from iraas.client_protocol import Conversation, Pause, Request
from iraas.client_responses import Lost, Response, StillPending, UnexpectedResponse, Unreachable
from iraas.client_wire import Image, Service, Upload, idempotency, lost, prepared, received
from iraas.clock import Clock, SystemClock
from iraas.messages import Answer

__all__ = ["AsyncClient", "Client", "StillPending", "UnexpectedResponse", "Unreachable"]

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT_SECONDS = 10.0
RETRIES = 4
WAIT_SECONDS = 120.0

_T = TypeVar("_T")


class Client:
    """The service, for threads: one client may be used by any number of them. Close it, or use it in `with`.

        with Client() as iraas:
            print(iraas.classify("cat.png").label)

    `url` is the service's address; `api_key` falls back to the environment's IRAAS_API_KEY. `timeout` is how
    many seconds a connection may stay silent, beyond what the server was asked to wait. `retries` is how
    often one request is sent again after 408, 429, 502, 503, 504 or a lost connection, each time after a
    pause that honours `Retry-After`. `clock` and `sleep` are for tests. Raises `ConfigurationError` when the
    address is none or the key cannot be sent.

    Every method raises the error of `iraas.errors` that the service answered with; its `retry_after` (in
    seconds) and `id` (the job's) are None when unknown. `Unreachable` means that no try got through.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._service = Service(
            url, api_key=api_key, timeout=timeout, retries=retries, clock=clock or SystemClock()
        )
        self._calls = self._service.conversations
        self._sleep = sleep
        self._http = httpx2.Client(**self._service.connection)

    def classify(
        self,
        image: Image,
        *,
        top: int = 5,
        wait: float = WAIT_SECONDS,
        filename: str | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """The image's labels, best first.

        `image` is a path, bytes, or a binary file, which is read from where it stands. `top` is the number of
        predictions (1 to 100), `wait` the seconds for everything, retries included: after them `StillPending`
        carries the job's id. `filename` comes back in the answer; by default it is the file's own. Two calls
        with one `idempotency_key` (16 to 255 characters) are one job; by default each call makes its own.
        """
        with prepared(image, filename) as upload:
            key = idempotency(idempotency_key)
            return self._carry_out(self._calls.classify(key, top=top, wait=wait), upload)

    def submit(self, image: Image, *, filename: str | None = None, idempotency_key: str | None = None) -> str:
        """Hand the image over without waiting for its answer: the job's id. Arguments as for `classify`."""
        with prepared(image, filename) as upload:
            return self._carry_out(self._calls.submit(idempotency(idempotency_key)), upload)

    def result(self, id: str, *, wait: float = 0.0, top: int = 5) -> Answer | None:  # noqa: A002  the API's word
        """The answer of a job; None when it is not there after `wait` seconds."""
        return self._carry_out(self._calls.result(id, top=top, wait=wait))

    def delete(self, id: str) -> None:  # noqa: A002
        """Remove a job's image and answer from the service."""
        self._carry_out(self._calls.delete(id))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _carry_out(self, conversation: Conversation[_T], upload: Upload | None = None) -> _T:
        outcome: Response | Lost | None = None
        try:
            while True:
                step = conversation.send(outcome)
                outcome = self._sleep(step.seconds) if isinstance(step, Pause) else self._send(step, upload)
        except StopIteration as end:
            return cast("_T", end.value)

    def _send(self, request: Request, upload: Upload | None) -> Response | Lost:
        try:
            return received(self._http.request(**self._service.arguments(request, upload)))
        except httpx2.RequestError as error:
            return lost(error)


class AsyncClient:
    """The service, for asyncio: `Client` with `await`. Close it with `aclose`, or use it in `async with`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = Service(
            url, api_key=api_key, timeout=timeout, retries=retries, clock=clock or SystemClock()
        )
        self._calls = self._service.conversations
        self._sleep = sleep
        self._http = httpx2.AsyncClient(**self._service.connection)

    async def classify(
        self,
        image: Image,
        *,
        top: int = 5,
        wait: float = WAIT_SECONDS,
        filename: str | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """As `Client.classify`."""
        with prepared(image, filename) as upload:
            key = idempotency(idempotency_key)
            return await self._carry_out(self._calls.classify(key, top=top, wait=wait), upload)

    async def submit(
        self, image: Image, *, filename: str | None = None, idempotency_key: str | None = None
    ) -> str:
        """As `Client.submit`."""
        with prepared(image, filename) as upload:
            return await self._carry_out(self._calls.submit(idempotency(idempotency_key)), upload)

    async def result(self, id: str, *, wait: float = 0.0, top: int = 5) -> Answer | None:  # noqa: A002
        """As `Client.result`."""
        return await self._carry_out(self._calls.result(id, top=top, wait=wait))

    async def delete(self, id: str) -> None:  # noqa: A002
        """As `Client.delete`."""
        await self._carry_out(self._calls.delete(id))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _carry_out(self, conversation: Conversation[_T], upload: Upload | None = None) -> _T:
        outcome: Response | Lost | None = None
        try:
            while True:
                step = conversation.send(outcome)
                doing = self._sleep(step.seconds) if isinstance(step, Pause) else self._send(step, upload)
                outcome = await doing
        except StopIteration as end:
            return cast("_T", end.value)

    async def _send(self, request: Request, upload: Upload | None) -> Response | Lost:
        try:
            return received(await self._http.request(**self._service.arguments(request, upload)))
        except httpx2.RequestError as error:
            return lost(error)
