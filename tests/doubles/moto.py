"""A stand-in for SQS and S3, in small: moto's server, a process on a free port of 127.0.0.1.

Run as `python -m tests.doubles.moto`, it says its port on standard output, and ends when standard input does.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from types import TracebackType
from typing import Self

from botocore.session import Session

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"


class Moto:
    """The server, while the `with` block runs. Queues and buckets live in its memory."""

    region = REGION

    def __init__(self) -> None:
        self._process: Popen[str] | None = None
        self._session: Session | None = None
        self.endpoint = ""

    def __enter__(self) -> Self:
        # Its input ends when this process closes the pipe, or dies in any way.
        self._process = Popen(
            [sys.executable, "-m", "tests.doubles.moto"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # a line for each request
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.communicate()  # closes its input, and waits for its end

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def session(self) -> Session:
        """Credentials that moto takes: any."""
        if self._session is None:  # once: reading the SDK's descriptions of services takes 0.2 s
            self._session = Session()
            self._session.set_credentials("test", "testsecret")
        return self._session

    def create_queue(self, name: str, **attributes: str) -> str:
        """Make a queue; its URL."""
        client = self.session().create_client("sqs", region_name=REGION, endpoint_url=self.endpoint)
        try:
            url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        finally:
            client.close()
        return url


def serve() -> None:
    """Serve until standard input ends."""
    from moto.moto_server.werkzeug_app import (  # only the server needs it, and it takes a second
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201 - whoever started this reads it
    server.serve_forever()


def _end_with_input() -> None:
    sys.stdin.read()  # whoever started this is gone, however it ended
    os._exit(0)


if __name__ == "__main__":
    serve()
