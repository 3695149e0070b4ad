"""an address, how many ── pictures posted at once, each until it has its answer ──> a line of JSON for each.

Run as a process of its own, `python -m tests.rig.clients URL COUNT`: what a thousand clients cost is not the rig's.
They come back with the same idempotency key when they are refused or cut off, as our own client does.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import aiohttp

from tests.rig.photographs import photograph

TRY_AGAIN = frozenset({429, 502, 503, 504})
PAUSE = 0.5  # seconds, when the service does not say how long
WAIT = 60  # seconds that a request asks the service to wait
AT_ONCE = (
    250  # clients that wait at the same time: each of them has the service look into its store now and then
)

Asked = AbstractAsyncContextManager[aiohttp.ClientResponse]


class Answered(NamedTuple):
    """What one client got."""

    number: int
    id: str
    label: str
    tries: int  # requests that it took


class Clients:
    """`count` clients as a process, posting from the moment that `start` returns."""

    def __init__(self, url: str, count: int) -> None:
        self._url, self._count = url, count
        self.answered: list[Answered] = []

    async def start(self) -> None:
        """Start them; they read their pictures first."""
        command = (sys.executable, "-m", "tests.rig.clients", self._url, str(self._count))
        self._process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        await self._process.stdout.readline()  # "ready"
        self._reading = asyncio.create_task(self._read(self._process.stdout))

    async def until_all_have_it(self) -> None:
        """Until each has its answer. Cancelling ends them."""
        try:
            await self._reading
            await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        assert self._process.returncode == 0, "the clients failed"

    async def _read(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            self.answered.append(Answered(*json.loads(line)))


async def post_all(url: str, count: int, key: str) -> None:
    """Post, wait, print."""
    pictures = [photograph(number) for number in range(min(count, 24))]
    print("ready", flush=True)  # noqa: T201 - whoever started this reads it
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        asyncio.TaskGroup() as group,
    ):
        for number in range(count):
            group.create_task(_one(session, url, number, pictures[number % len(pictures)]))


async def _one(session: aiohttp.ClientSession, url: str, number: int, picture: bytes) -> None:
    key, place, tries = secrets.token_hex(16), "", 0
    while True:
        tries += 1
        if place:
            status, answer, pause = await _told(session.get(f"{url}{place}?wait={WAIT}"))
        else:
            form = aiohttp.FormData()
            form.add_field("file", picture, filename=f"{number}.png")
            headers = {"Idempotency-Key": key}
            status, answer, pause = await _told(
                session.post(f"{url}/v1/images?wait={WAIT}", data=form, headers=headers)
            )
        if status == 200:
            print(json.dumps((number, answer["id"], answer["label"], tries)), flush=True)  # noqa: T201
            return
        if status == 202:
            place = f"/v1/images/{answer['id']}"
        elif status and status not in TRY_AGAIN:
            raise AssertionError(f"picture {number}: {status} {answer}")
        else:
            await asyncio.sleep(pause)


async def _told(asked: Asked) -> tuple[int, dict[str, Any], float]:
    """Status (0: cut off), body, and the pause that was asked for."""
    try:
        async with asked as response:
            body = await response.json(content_type=None) if "json" in response.content_type else {}
            return response.status, body, float(response.headers.get("Retry-After", PAUSE))
    except (aiohttp.ClientError, ConnectionError):
        return 0, {}, PAUSE


if __name__ == "__main__":
    asyncio.run(post_all(sys.argv[1], int(sys.argv[2]), os.environ["IRAAS_API_KEY"]))
