"""One picture, one answer: a client that asks now and then."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import httpx2

LOST = 0  # the status of a request that nobody answered


class Seen(NamedTuple):
    """What the client saw."""

    status: int
    seconds: float


class Probe:
    """Posts one picture again and again, over a connection that stays open."""

    def __init__(self, url: str, pictures: Path) -> None:
        self._url = url
        self._png = next(iter(sorted(pictures.iterdir()))).read_bytes()
        self._http = httpx2.Client(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self) -> Seen:
        """Post the picture and wait for what comes."""
        begun = time.monotonic()
        try:
            status = self._http.post(self._url, files={"file": ("picture.png", self._png)}).status_code
        except httpx2.TransportError:
            status = LOST
        return Seen(status, time.monotonic() - begun)

    def until_answered(self, *, pause: float, limit: float) -> None:
        """Ask until a label comes. Raises `TimeoutError` after `limit` seconds."""
        end = time.monotonic() + limit
        while self.ask().status != 200:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._url} gave no label within {limit} s")
            time.sleep(pause)
