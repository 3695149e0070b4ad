"""An S3 that answers by a script, as AWS documents its answers, for what no stand-in ever says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from botocore.session import Session
from tests.integration.scripted_server import Handler, ScriptedServer, Seen, reply

from iraas.blobs.s3 import S3Blobs

ACCESS_KEY, SECRET_KEY, TOKEN = "AKIAEXAMPLEKEY000000", "a-secret-key-that-nobody-may-see", "a-session-token"
LAST_MODIFIED = "Wed, 12 Oct 2022 17:50:00 GMT"


class S3Handler(Handler):
    """Takes S3's methods; as a proxy, it leads nowhere."""

    server: S3Server

    do_PUT = do_HEAD = Handler.do_POST  # noqa: N815 - http.server's names

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server's name
        """Remember where the client wanted to go."""
        self.server.places.add(self.path)
        self.send_error(502)


class S3Server(ScriptedServer):
    """What it was told to do, and what it saw."""

    def __init__(self, script: list[Callable[[Handler], None]]) -> None:
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), S3Handler)
        self.script = script
        self.seen: list[Seen] = []
        self.places: set[str] = set()
        self.over = Event()


@contextmanager
def answering(*script: Callable[[Handler], None]) -> Iterator[S3Server]:
    """The server, while it runs."""
    with S3Server(list(script)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def fault(status: int, code: str, inside: str = "", **headers: str) -> Callable[[Handler], None]:
    """An error in S3's XML: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>in words</Message>{inside}'
        "<RequestId>4442587FB7D0A2F9</RequestId></Error>"
    )
    return reply(status, body.encode(), Content_Type="application/xml", **headers)


def found(body: bytes, **headers: str) -> Callable[[Handler], None]:
    """An object."""
    return reply(200, body, ETag='"0"', Last_Modified=LAST_MODIFIED, **headers)


def first_byte(size: int, **headers: str) -> Callable[[Handler], None]:
    """The first byte of an object of `size` bytes."""
    ranged = {"Content_Range": f"bytes 0-0/{size}"}
    return reply(206, b"x", ETag='"0"', Last_Modified=LAST_MODIFIED, **ranged, **headers)


def stored() -> Callable[[Handler], None]:
    """What a put is answered."""
    return reply(200, b"", ETag='"0"')


def session(token: str | None = TOKEN) -> Session:
    """Credentials as a role has them."""
    made = Session()
    made.set_credentials(ACCESS_KEY, SECRET_KEY, token)
    return made


def store(server: S3Server, **settings: Any) -> S3Blobs:
    """The store in front of the script."""
    given = {"session": session(), "region": "eu-west-1", "endpoint": server.url, "max_bytes": 1_000_000}
    return S3Blobs("pictures", **{**given, **settings})
