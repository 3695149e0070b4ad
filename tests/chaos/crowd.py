"""Many clients at once, each with pictures of its own, and the books of what they got."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from PIL import Image

from iraas import AsyncClient
from iraas.errors import IraasError
from iraas.messages import Answer, DeadLetter, Record, decode
from iraas.queues.port import Depth
from iraas.settings import Settings
from iraas.side_by_side import side_by_side
from iraas.wiring.backend import open_backend

SHADES = 200  # pictures that `TimedModel` tells apart, by their mean
RETRIES = 60  # a client that wants its answer whatever is killed


def grey(number: int) -> bytes:
    """Picture `number` as PNG: one shade of grey, and one pixel that makes its bytes unlike all others."""
    pixels = np.full((32, 32, 3), shade(number), np.uint8)
    pixels[0, 0] = (number >> 16, number >> 8 & 255, number & 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def shade(number: int) -> int:
    """The mean of picture `number`, which a timed model answers."""
    return 20 + number % SHADES


class Crowd:
    """Clients that post at the same time, and what came of it."""

    def __init__(self, url: str, *, concurrency: int = 16) -> None:
        self._url = url
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self.answers: dict[int, Answer] = {}
        self.errors: dict[int, IraasError] = {}
        self.replies = 0  # answers that clients got: one each
        self._progress = asyncio.Condition()

    @property
    def done(self) -> int:
        """Pictures whose client has what it came for."""
        return len(self.answers) + len(self.errors)

    async def until(self, done: int) -> None:
        """Return once so many pictures are done."""
        async with self._progress:
            await self._progress.wait_for(lambda: self.done >= done)

    async def post(self, numbers: Iterable[int], picture: Callable[[int], bytes] = grey) -> None:
        """Each number's picture, until it is answered."""
        async with AsyncClient(self._url, retries=RETRIES) as client, asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(self._one(client, number, picture(number)))

    async def post_while(self, numbers: Iterator[int], picture: Callable[[int], bytes] = grey) -> list[int]:
        """Pictures as long as there are numbers, each place taking the next one when it has its answer; which."""
        posted: list[int] = []

        async def place(client: AsyncClient) -> None:
            for number in numbers:
                posted.append(number)
                await self._one(client, number, picture(number))

        async with AsyncClient(self._url, retries=RETRIES) as client, asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(place(client))
        return posted

    async def _one(self, client: AsyncClient, number: int, data: bytes) -> None:
        async with self._places:
            try:
                self.answers[number] = await client.classify(data, filename=f"{number}.png", wait=150)
            except IraasError as error:
                self.errors[number] = error
            self.replies += 1
        async with self._progress:
            self._progress.notify_all()

    def check_everyone_was_answered_right(self, numbers: Iterable[int]) -> None:
        """Each client has its own picture's answer, once."""
        expected = set(numbers)
        assert not self.errors, dict(list(self.errors.items())[:5])
        assert set(self.answers) == expected
        assert self.replies == len(expected)
        for number, answer in self.answers.items():
            assert answer.filename == f"{number}.png"
            assert answer.label == f"grey {shade(number)}", number
        assert len({answer.id for answer in self.answers.values()}) == len(expected)


class Books:
    """What the stores and the queue of a service that stands still hold."""

    def __init__(
        self, records: dict[str, Record], inputs: set[str], letters: list[DeadLetter], depth: Depth
    ) -> None:
        self.records = records
        self.inputs = inputs
        self.letters = letters
        self.depth = depth

    @classmethod
    async def read(cls, settings: Settings) -> Books:
        """The books of a service, whether it runs or not."""
        backend = open_backend(settings, inline=True)
        try:

            async def read(key: str) -> bytes:
                blob = await backend.results.get(key)
                assert blob is not None
                return blob.data

            keys = [info.key async for info in backend.results.list()]
            found = await side_by_side(read, keys, at_once=backend.results.at_once)
            records = {key: decode(Record, data) for key, data in zip(keys, found, strict=True)}
            letters = [
                decode(DeadLetter, await read(info.key))
                async for info in backend.results.list("dead-letters/")
            ]
            inputs = {info.key async for info in backend.inputs.list()}
            return cls(records, inputs, letters, await backend.requests.depth())
        finally:
            await backend.close()

    def check(self, accepted: Iterable[str], *, refused: int = 0) -> None:
        """Accepted = answered, nothing waits, and no innocent is a dead letter.

        `refused` pictures were stored and then refused, since no job could be sent: nobody owes them an answer.
        """
        assert set(accepted) <= set(self.records)
        assert len(self.inputs - set(self.records)) <= refused
        assert (self.depth.visible, self.depth.in_flight) == (0, 0)
        assert self.letters == []


async def books_when_quiet(settings: Settings, *, refused: int = 0) -> Books:
    """The books once the queue is empty; a client may have its answer a moment before the message is deleted."""
    for _ in range(600):
        books = await Books.read(settings)
        if books.depth[:2] == (0, 0) and len(books.inputs - set(books.records)) <= refused:
            return books
        await asyncio.sleep(0.1)
    return books
