"""bytes of a connection -> one HTTP/1.1 message, handed on as it came."""

from __future__ import annotations

from asyncio import StreamReader
from collections.abc import AsyncIterator

import httptools

READ_BYTES = 262_144

NO_HEADER = b""


class Broken(Exception):
    """The connection ended, or no longer speaks HTTP."""


class Message:
    """A request, or a response: first its head, then what follows."""

    def __init__(self, reader: StreamReader, *, response: bool = False, bodyless: bool = False) -> None:
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self) if response else httptools.HttpRequestParser(self)
        self._bodyless = bodyless  # the response to a HEAD names a length, and has none
        self._has_head = self._is_whole = False
        self._headers: dict[bytes, bytes] = {}
        self.url = b""
        self.keeps_alive = False  # whether another message may follow
        self.begun = b""  # the head, and what came together with it

    async def read_head(self) -> bool:
        """Read until the head is whole; False when the connection ended before it began."""
        while not self._has_head:
            self.begun += (chunk := await self._read())
            if not chunk:
                if self.begun:
                    raise Broken
                return False
            self._feed(chunk)
        return True

    async def rest(self) -> AsyncIterator[bytes]:
        """What follows `begun`, as it comes."""
        while not self._is_whole:
            chunk = await self._read()
            self._feed(chunk)
            if chunk:
                yield chunk

    def header(self, name: bytes) -> bytes:
        """A header's value, or nothing."""
        return self._headers.get(name, NO_HEADER)

    @property
    def method(self) -> str:
        """A request's."""
        assert isinstance(self._parser, httptools.HttpRequestParser)
        return self._parser.get_method().decode()

    def without_expect(self) -> bytes:
        """`begun` without its `Expect`, which is not signed: whoever hands it on has answered that."""
        head, end, body = self.begun.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:")]
        return b"\r\n".join(lines) + end + body

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except OSError as error:
            raise Broken from error

    def _feed(self, chunk: bytes) -> None:
        if not chunk:
            if self.keeps_alive or not self._has_head:  # else its length is: until the connection ends
                raise Broken
            self._is_whole = True
            return
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            raise Broken from error

    def on_url(self, url: bytes) -> None:
        """Called by the parser, perhaps more than once."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._has_head = True
        self._is_whole = self._bodyless
        self.keeps_alive = self._parser.should_keep_alive()  # the parser forgets it at the message's end

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._is_whole = True
