"""A client's connection <-> the service's: requests and answers pass, or suffer what the plan says."""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from typing import Protocol

from iraas.testing.proxy_message import Broken, Message
from iraas.testing.proxy_plan import Fault, Plan, Request

_SLOW_DOWN = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code></Error>'
_QUEUE = re.compile(rb'"Queue(?:Url|Name|NamePrefix)": ?"(?:[^"]*/)?([^"/]+)"')
_UNAVAILABLE = b'{"__type":"com.amazonaws.sqs#ServiceUnavailable","message":"on purpose"}'


class Wire(Protocol):
    """What all connections share."""

    plan: Plan
    requests: list[Request]

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the service."""
        ...

    async def flow(self) -> None:
        """Return at once, or never while stalled."""
        ...


class Connection:
    """One connection of a client, and one to the service for it."""

    def __init__(self, wire: Wire, reader: StreamReader, writer: StreamWriter) -> None:
        self._wire = wire
        self._reader, self._writer = reader, writer
        self._up: tuple[StreamReader, StreamWriter] | None = None

    async def serve(self) -> None:
        """One request after the other."""
        keeps_alive = True
        while keeps_alive:
            request = Message(self._reader)
            if not await request.read_head():
                return
            target = request.header(b"x-amz-target").decode()
            seen = Request(request.method, request.url.decode(), target, _queue(request) if target else "")
            self._wire.requests.append(seen)
            await self._wire.flow()
            if request.header(b"expect"):
                self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            keeps_alive = await self._answer(request, seen, self._wire.plan.fault())

    def abort(self) -> None:
        """Break both connections."""
        for writer in (self._writer, *(self._up or ())[1:]):
            writer.transport.abort()

    async def _answer(self, request: Message, seen: Request, fault: Fault) -> bool:
        """Do to the request what the plan says; whether the connection lives on."""
        if fault is Fault.LOST:
            return False
        if fault is Fault.REFUSED:
            async for _ in request.rest():
                pass
            body, kind = (_UNAVAILABLE, b"x-amz-json-1.0") if seen.target else (_SLOW_DOWN, b"xml")
            head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/%b\r\nContent-Length: %d\r\n\r\n"
            self._writer.write(head % (kind, len(body)) + (b"" if seen.method == "HEAD" else body))
            await self._writer.drain()
            return request.keeps_alive
        if fault is Fault.DELAYED:
            await asyncio.sleep(self._wire.plan.delay)
        response = await self._forward(request, bodyless=seen.method == "HEAD")
        if fault is Fault.REPLY_LOST:
            async for _ in response.rest():
                pass
            return False
        if fault is Fault.CUT:
            await self._cut_in_half(response)
            return False
        await self._wire.flow()
        self._writer.write(response.begun)
        async for chunk in response.rest():
            await self._wire.flow()
            self._writer.write(chunk)
            await self._writer.drain()
        await self._writer.drain()
        return request.keeps_alive and response.keeps_alive

    async def _forward(self, request: Message, *, bodyless: bool) -> Message:
        """Hand the request on; the response, as far as its head."""
        if self._up is None or self._up[0].at_eof():  # the service closes what was idle for seconds
            if self._up is not None:
                self._up[1].transport.abort()
            self._up = await self._wire.connect()
        reader, writer = self._up
        with suppress(OSError):  # it may refuse before it has read all
            writer.write(request.without_expect() if request.header(b"expect") else request.begun)
            async for chunk in request.rest():
                writer.write(chunk)
                await writer.drain()
            await writer.drain()
        response = Message(reader, response=True, bodyless=bodyless)
        if not await response.read_head():
            raise Broken
        return response

    async def _cut_in_half(self, response: Message) -> None:
        """Send half of the response's body; of a response without one, half of its head."""
        whole = response.begun + b"".join([chunk async for chunk in response.rest()])
        head = whole.index(b"\r\n\r\n") + 4
        kept = head + (len(whole) - head) // 2 if len(whole) > head else head // 2
        self._writer.write(whole[:kept])
        await self._writer.drain()
        self._writer.write_eof()  # what was written arrives, where an abort could overtake it
        await self._reader.read()


def _queue(request: Message) -> str:
    """The queue's name, which stands near the beginning of the body and has come with the head."""
    found = _QUEUE.search(request.begun)
    return found[1].decode() if found else ""
