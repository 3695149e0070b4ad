"""PNG files -> HTTP/1.1 requests over connections that stay open -> one line of JSON: what came back, and when.

    python -m bench.generator URL FOLDER --connections 32 --seconds 4      each connection asks again when answered
    python -m bench.generator URL FOLDER --rate 800 --seconds 12           by the clock, whatever comes back

A process of its own, so that its CPU is counted apart. The requests are made beforehand, and an answer is read
no further than its status and its length: a picture costs it about 0.2 core-ms, most of it in the kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from bench.connection import LOST, Connection, request

PATIENCE_SECONDS = 60.0  # for what is still under way at the end


class Generator:
    """Asks, and keeps what came back."""

    def __init__(self, url: str, pngs: Sequence[bytes]) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._requests = deque(request(url, png) for png in pngs)
        self._idle: deque[Connection] = deque()
        self._under_way = 0
        self._end = float("inf")
        self._asks_again = False
        self._all_over = asyncio.Event()  # whenever nothing is under way: of use at the end only
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: list[tuple[float, float, int]] = []  # begun (monotonic), seconds, status

    async def closed(self, connections: int, seconds: float) -> None:
        """Keep `connections` requests under way for `seconds`; then wait for the last of them."""
        self._asks_again, self._end = True, time.monotonic() + seconds
        for _ in range(connections):  # one by one: a burst of them might all go to one process of a server
            self._ask(await self._connect(), time.monotonic())
            await asyncio.sleep(0.002)
        self._all_over.clear()
        await self._last()

    async def open(self, rate: float, seconds: float) -> None:
        """Ask `rate` times a second for `seconds`. Time counts from when a request was due."""
        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            self._ask_on_any(due)
        self._all_over.clear()
        await self._last()

    def _ask_on_any(self, due: float) -> None:
        while self._idle:
            connection = self._idle.popleft()
            if connection.is_open:
                self._ask(connection, due)
                return
        self._under_way += 1  # it is, while its connection is made
        task = asyncio.create_task(self._ask_on_new(due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_on_new(self, due: float) -> None:
        try:
            connection = await self._connect()
        except OSError:
            self._keep(due, LOST)
            self._tell_if_over()
            return
        self._under_way -= 1
        self._ask(connection, due)

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self._answered), *self._address)
        return connection

    def _ask(self, connection: Connection, begun: float) -> None:
        self._under_way += 1
        self._requests.rotate(-1)
        connection.ask(self._requests[0], begun)

    def _answered(self, connection: Connection, begun: float, status: int) -> None:
        self._keep(begun, status)
        self._go_on(connection, time.monotonic())
        self._tell_if_over()

    def _keep(self, begun: float, status: int) -> None:
        self._under_way -= 1
        self.answers.append((begun, time.monotonic() - begun, status))

    def _tell_if_over(self) -> None:
        if not self._under_way:
            self._all_over.set()

    def _go_on(self, connection: Connection, now: float) -> None:
        if not self._asks_again:
            self._idle.append(connection)
        elif now < self._end and connection.is_open:
            self._ask(connection, now)
        elif now < self._end:
            self._ask_on_any(now)

    async def _last(self) -> None:
        """Wait for what is under way; what does not come within `PATIENCE_SECONDS` is lost."""
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_over.wait(), PATIENCE_SECONDS)
        self.answers += [(time.monotonic() - PATIENCE_SECONDS, PATIENCE_SECONDS, LOST)] * self._under_way


def main() -> None:
    """Say when it begins, in monotonic seconds, then the report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float)
    asked = parser.parse_args()
    generator = Generator(asked.url, [path.read_bytes() for path in sorted(asked.folder.iterdir())])
    begun, cpu = time.monotonic(), time.process_time()
    print(begun, flush=True)
    if asked.rate:
        uvloop.run(generator.open(asked.rate, asked.seconds))
    else:
        uvloop.run(generator.closed(asked.connections, asked.seconds))
    report = {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": time.process_time() - cpu,
        "answers": generator.answers,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
